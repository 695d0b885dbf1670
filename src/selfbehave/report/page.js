// The rows of the report: listed, filtered, and each unpacked when it is opened. Texts of rows are
// a model's and may be anything: they only ever become text nodes.
"use strict";
(() => {
  const ROWS_ON_PAGE = 20;
  const SEARCH_WAITS = 250; // milliseconds after the last key
  const FIELDS = ["run", "reached", "fault", "domain", "kept", "actor", "verb", "object", "text"];
  const CHIPS = ["actor", "verb", "object"]; // set by figures only
  const RUNGS = ["text", "parsed", "bound", "passing", "discriminating", "causal"];
  const byId = (id) => document.getElementById(id);
  const list = byId("list");
  const status = byId("status");

  let index; // of the rows, column by column
  let found = []; // the rows that are listed
  let page = 0;
  let turn = 0; // of filtering: an older search gives up

  // What is packed in the page.

  async function unpack(id) {
    const element = byId(id);
    const bytes = Uint8Array.from(atob(element.textContent), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return JSON.parse(await new Response(stream).text());
  }

  const unpacked = new Map();

  function part(id) {
    if (!unpacked.has(id)) unpacked.set(id, unpack(id));
    return unpacked.get(id);
  }

  async function text(number) {
    const texts = await part(`texts-${Math.floor(number / index.textsInPart)}`);
    return texts[number % index.textsInPart];
  }

  async function details(row) {
    const rows = await part(`details-${Math.floor(row / index.rowsInPart)}`);
    return rows[row % index.rowsInPart];
  }

  // Elements.

  function make(tag, className, words) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (words !== undefined) element.textContent = words;
    return element;
  }

  function name(kind, row) {
    const number = index.columns[kind][row];
    return number === -1 ? null : index.names[kind][number];
  }

  const GHERKIN = new RegExp(
    [
      "(?<comment>^[ \\t]*#.*$)",
      "(?<keyword>^[ \\t]*(?:Feature|Rule|Background|Scenario Outline|Scenario|Examples?)(?=:)" +
        "|^[ \\t]*(?:Given|When|Then|And|But|\\*)(?= ))",
      '(?<string>"[^"\\n]*")',
      "(?<name><[^<>\\n]+>|^[ \\t]*@\\S+)",
      "(?<number>\\b\\d+(?:\\.\\d+)?\\b)",
    ].join("|"),
    "gm",
  );
  const PYTHON = new RegExp(
    [
      "(?<comment>#.*$)",
      "(?<string>[rbfuRBFU]{0,2}(?:\"\"\"[^]*?\"\"\"|'''[^]*?'''" +
        "|\"(?:\\\\.|[^\"\\\\\\n])*\"|'(?:\\\\.|[^'\\\\\\n])*'))",
      "(?<name>^[ \\t]*@[\\w.]+|(?<=\\b(?:def|class) )\\w+)",
      "(?<keyword>\\b(?:and|as|assert|async|await|break|class|continue|def|del|elif|else|except|" +
        "False|finally|for|from|global|if|import|in|is|lambda|None|nonlocal|not|or|pass|raise|" +
        "return|True|try|while|with|yield)\\b)",
      "(?<number>\\b\\d+(?:\\.\\d+)?\\b)",
    ].join("|"),
    "gm",
  );

  function coloured(words, grammar) {
    const pre = make("pre");
    const code = pre.appendChild(make("code"));
    let end = 0;
    for (const match of words.matchAll(grammar)) {
      const kind = Object.keys(match.groups).find((one) => match.groups[one] !== undefined);
      code.append(words.slice(end, match.index));
      code.append(make("span", kind, match[0]));
      end = match.index + match[0].length;
    }
    code.append(words.slice(end));
    return pre;
  }

  function titled(heading, element) {
    const block = make("div", "block");
    block.append(make("h3", "", heading), element);
    return block;
  }

  async function fill(body, row) {
    const about = await details(row);
    const pair = make("div", "pair");
    pair.append(
      titled("Scenario", coloured(await text(index.columns.scenario[row]), GHERKIN)),
      titled("Step functions", coloured(await text(index.columns.code[row]), PYTHON)),
    );
    body.append(pair);
    if (about.faults.length) {
      const faults = make("ul", "faults");
      for (const fault of about.faults) faults.append(make("li", "", fault));
      body.append(titled("Faults", faults));
    }
    const facts = make("dl", "facts");
    const tell = (term, words) => {
      if (words === null || words === "") return;
      const pair = facts.appendChild(make("div"));
      pair.append(make("dt", "", term), " ", make("dd", "", words));
    };
    const deed = ["actor", "verb", "object"].map((kind) => name(kind, row)).filter(Boolean);
    tell("Who does what", deed.join(" · "));
    tell("Domain", name("domain", row));
    tell("Steps", about.steps === null ? null : String(about.steps));
    const novelty = index.columns.novelty[row];
    tell("Novelty", novelty === null ? null : novelty.toFixed(2));
    tell("Model", about.engine);
    tell("Row", about.id);
    body.append(facts);
    for (const made of about.made) body.append(await prompt(made));
    if (!about.made.length) {
      body.append(make("p", "note", "The journal has no request of this row: no prompt to show."));
    }
  }

  async function prompt(made) {
    const fold = make("details", "prompt");
    fold.append(make("summary", "", `The prompt that made the ${made.what}`));
    fold.addEventListener(
      "toggle",
      async () => {
        const pieces = await Promise.all(made.pieces.map(text));
        const [read, written] = made.tokens.map((count) => count.toLocaleString("en"));
        const told =
          `Request ${made.request} of ${made.stage}: ${read} tokens read, ${written} written, ` +
          `ended by “${made.finish}”; ${made.key} in the journal.`;
        fold.append(make("p", "note", told), make("pre", "", pieces.join("")));
      },
      { once: true },
    );
    return fold;
  }

  function item(row) {
    const element = make("li");
    const fold = element.appendChild(make("details", "row"));
    const summary = fold.appendChild(make("summary"));
    summary.append(make("span", "title", index.columns.title[row]));
    const chips = summary.appendChild(make("span", "chips"));
    const chip = (className, words) => chips.append(make("span", `chip ${className}`, words), " ");
    if (index.names.run.length > 1) {
      chip(`run series-${(index.columns.run[row] % 6) + 1}`, name("run", row));
    }
    if (name("rung", row) !== null) chip(`rung ${name("rung", row)}`, name("rung", row));
    if (!index.columns.kept[row]) chip("dropped", "dropped");
    for (const fault of index.columns.faults[row]) chip("fault", index.names.fault[fault]);
    if (name("domain", row) !== null) chip("domain", name("domain", row));
    fold.addEventListener(
      "toggle",
      () => fill(fold.appendChild(make("div", "body")), row),
      { once: true },
    );
    return element;
  }

  function show() {
    const pages = Math.max(1, Math.ceil(found.length / ROWS_ON_PAGE));
    page = Math.min(Math.max(page, 0), pages - 1);
    const first = page * ROWS_ON_PAGE;
    const some = found.slice(first, first + ROWS_ON_PAGE);
    list.replaceChildren(...some.map(item));
    list.start = first + 1;
    const count = (number) => number.toLocaleString("en");
    const total = index.columns.title.length;
    status.textContent = some.length
      ? `${count(first + 1)}–${count(first + some.length)} of ${count(found.length)} rows` +
        (found.length < total ? `, out of ${count(total)}` : "")
      : "No row is like that.";
    byId("previous").disabled = byId("first").disabled = page === 0;
    byId("next").disabled = byId("last").disabled = page === pages - 1;
    byId("page").textContent = `Page ${count(page + 1)} of ${count(pages)}`;
  }

  // Filters.

  function wanted() {
    const values = {};
    for (const field of FIELDS) {
      const control = byId(`filter-${field}`);
      if (control && control.value) values[field] = control.value;
    }
    return values;
  }

  // A word as its number in the index, so that rows are compared by numbers.
  function numbered(kind, value) {
    return value === undefined ? null : index.names[kind].indexOf(value);
  }

  async function withText(words, mine) {
    const query = words.toLowerCase();
    const hits = new Set();
    const parts = document.querySelectorAll("script[id^='texts-']").length;
    for (let number = 0; number < parts; number += 1) {
      const texts = await part(`texts-${number}`);
      if (mine !== turn) return null;
      texts.forEach((one, at) => {
        if (one.toLowerCase().includes(query)) hits.add(number * index.textsInPart + at);
      });
      if (number % 16 === 15) status.textContent = `Searching… ${number + 1} of ${parts} parts`;
    }
    return hits;
  }

  async function filter() {
    turn += 1;
    const mine = turn;
    const values = wanted();
    const hits = values.text ? await withText(values.text, mine) : null;
    if (mine !== turn) return;
    const columns = index.columns;
    const same = ["run", "domain", "actor", "verb", "object"]
      .map((kind) => [columns[kind], numbered(kind, values[kind])])
      .filter(([, number]) => number !== null);
    const fault = numbered("fault", values.fault);
    const rungs = index.names.rung.map(
      (rung) => RUNGS.indexOf(rung) >= RUNGS.indexOf(values.reached),
    );
    found = [];
    for (let row = 0; row < columns.title.length; row += 1) {
      if (
        same.every(([column, number]) => column[row] === number) &&
        (fault === null || columns.faults[row].includes(fault)) &&
        (!values.reached || rungs[columns.rung[row]]) &&
        (!values.kept || columns.kept[row] === (values.kept === "kept" ? 1 : 0)) &&
        (!hits || hits.has(columns.scenario[row]) || hits.has(columns.code[row]))
      ) {
        found.push(row);
      }
    }
    page = 0;
    show();
    chips(values);
  }

  // What figures filter by has no control of its own, but a button that takes it away.
  function chips(values) {
    const place = byId("chosen");
    place.replaceChildren();
    for (const kind of CHIPS) {
      if (values[kind] === undefined) continue;
      const button = make("button", "chosen", `${kind}: ${values[kind]} ×`);
      button.type = "button";
      button.setAttribute("aria-label", `Any ${kind}, not only ${values[kind]}`);
      button.addEventListener("click", () => {
        byId(`filter-${kind}`).value = "";
        place.nextElementSibling.focus();
        changed();
      });
      place.append(button);
    }
  }

  function changed() {
    const pairs = Object.entries(wanted()).map(
      ([field, value]) => `${field}=${encodeURIComponent(value)}`,
    );
    history.replaceState(null, "", pairs.length ? `#rows?${pairs.join("&")}` : "#rows");
    filter();
  }

  function fromAddress() {
    const [place, query] = [location.hash.slice(0, 5), location.hash.slice(6)];
    if (place !== "#rows" || !query) return false;
    const values = Object.fromEntries(
      query.split("&").map((pair) => pair.split("=").map(decodeURIComponent)),
    );
    for (const field of FIELDS) {
      const control = byId(`filter-${field}`);
      if (control) control.value = values[field] ?? "";
    }
    return true;
  }

  function options(field, names, words = (one) => one) {
    const select = byId(`filter-${field}`);
    for (const one of names) {
      const option = make("option", "", words(one));
      option.value = one;
      select.append(option);
    }
    select.closest("label").hidden = !names.length;
  }

  async function start() {
    index = await unpack("index");
    const runs = index.names.run;
    options("run", runs.length > 1 ? runs : []);
    options("reached", RUNGS.slice(1).filter((rung) => index.names.rung.includes(rung)));
    options("fault", [...index.names.fault].sort());
    options("domain", [...index.names.domain].sort());
    const isDropped = index.columns.kept.includes(0);
    options("kept", isDropped ? ["kept", "dropped"] : []);
    const form = byId("filters");
    let waiting;
    form.addEventListener("input", (event) => {
      clearTimeout(waiting);
      waiting = setTimeout(changed, event.target.type === "search" ? SEARCH_WAITS : 0);
    });
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => {
      for (const kind of CHIPS) byId(`filter-${kind}`).value = "";
      setTimeout(changed);
    });
    const turnTo = (to) => () => {
      page = to();
      show();
      byId("rows").scrollIntoView();
    };
    byId("first").addEventListener("click", turnTo(() => 0));
    byId("previous").addEventListener("click", turnTo(() => page - 1));
    byId("next").addEventListener("click", turnTo(() => page + 1));
    byId("last").addEventListener("click", turnTo(() => Infinity));
    const goThere = () => {
      if (!fromAddress()) return;
      byId("rows").scrollIntoView();
      filter();
    };
    window.addEventListener("hashchange", goThere);
    await filter();
    goThere();
    byId("browser").hidden = false;
  }

  // A mark's words beside the pointer, as assistive technology has them too.
  function tips() {
    const tip = document.body.appendChild(make("div", "tip"));
    tip.hidden = true;
    tip.setAttribute("aria-hidden", "true");
    const place = (target, x, y) => {
      const mark = target.closest?.("figure [aria-label]:not([aria-roledescription=axis])");
      const isMark = mark && mark.tagName !== "svg" && !/legend/.test(mark.ariaRoleDescription);
      tip.hidden = !isMark;
      if (!isMark) return;
      tip.textContent = mark.getAttribute("aria-label");
      const width = document.documentElement.clientWidth;
      tip.style.left = `${Math.max(8, Math.min(x + 14, width - tip.offsetWidth - 8))}px`;
      tip.style.top = `${y + 18}px`;
    };
    document.addEventListener("pointermove", (event) =>
      place(event.target, event.clientX, event.clientY),
    );
    document.addEventListener("focusin", (event) => {
      const box = event.target.getBoundingClientRect();
      place(event.target, box.left, box.bottom - 14);
    });
    document.addEventListener("scroll", () => (tip.hidden = true), { passive: true });
  }

  tips();
  if (byId("index")) start();
})();
