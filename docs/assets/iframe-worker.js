// Search runs in a web worker, which browsers refuse to pages opened from disk. There it runs in
// a hidden frame of the page instead, with the few parts of a worker that search uses. Messages are
// copied, as between a page and a real worker.
if (location.protocol === "file:") {
  window.Worker = class {
    constructor(address) {
      this.onmessage = this.onerror = this.onmessageerror = null;
      this.waiting = [];
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      document.body.append(this.frame);
      const inner = this.frame.contentWindow;
      inner.postMessage = (data) => deliver(data, (message) => this.onmessage?.(message));
      const script = inner.document.createElement("script");
      script.src = new URL(address, document.baseURI).href;
      script.onload = () => {
        const waiting = this.waiting;
        this.waiting = null;
        for (const data of waiting) this.postMessage(data);
      };
      script.onerror = (error) => this.onerror?.(error);
      inner.document.body.append(script);
    }

    postMessage(data) {
      if (this.waiting) this.waiting.push(structuredClone(data));
      else deliver(data, (message) => this.frame.contentWindow?.onmessage(message));
    }

    terminate() {
      this.frame.remove();
    }
  };

  function deliver(data, to) {
    const copy = structuredClone(data);
    setTimeout(() => to({ data: copy }));
  }
}
