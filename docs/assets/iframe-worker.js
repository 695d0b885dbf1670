// Search runs in a web worker, which browsers refuse to pages opened from disk. There it runs in
// a hidden frame of the page instead, with the few parts of a worker that search uses.
if (location.protocol === "file:") {
  window.Worker = class {
    constructor(address) {
      this.onmessage = this.onerror = this.onmessageerror = null;
      this.waiting = [];
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      document.body.append(this.frame);
      const inner = this.frame.contentWindow;
      inner.postMessage = (data) => setTimeout(() => this.onmessage?.({ data }));
      const script = inner.document.createElement("script");
      script.src = new URL(address, document.baseURI).href;
      script.onload = () => {
        for (const data of this.waiting.splice(0)) inner.onmessage({ data });
        this.waiting = null;
      };
      script.onerror = (error) => this.onerror?.(error);
      inner.document.body.append(script);
    }

    postMessage(data) {
      if (this.waiting) this.waiting.push(data);
      else setTimeout(() => this.frame.contentWindow?.onmessage({ data }));
    }

    terminate() {
      this.frame.remove();
    }
  };
}
