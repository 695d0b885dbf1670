// The rating page's keys, and the saving of each answer the moment it is given.
//
// Without this script the page is a form with a button to save. With it, what is not yet saved is
// also kept in the browser, so that it outlives a server that is away and a page that is closed.
"use strict";

const form = document.getElementById("judging");
const statusLine = document.getElementById("status");
const guide = document.getElementById("guide");
const cards = [...form.querySelectorAll("fieldset.question")];
const note = form.elements.note;
const flag = form.elements.ill_formed;
const csrf = form.elements.csrf.value;
const address = form.action;

// ---- answers as the page shows them, and as the server is known to have them

const fields = [...cards.map((card) => card.dataset.field), "ill_formed", "note"];
const saved = Object.fromEntries(
  fields.map((field) => [field, form.elements[`was.${field}`].value])
);

function shown(field) {
  if (field === "note") return note.value.trim() ? note.value : "";
  if (field === "ill_formed") return flag.checked ? "yes" : saved.ill_formed && "no";
  const chosen = form.querySelector(`input[name="${field}"]:checked`);
  return chosen ? chosen.value : "";
}

function show(field, value) {
  if (field === "note") note.value = value;
  else if (field === "ill_formed") flag.checked = value === "yes";
  else for (const radio of form.elements[field]) if (radio.type === "radio") radio.checked = radio.value === value;
}

// ---- saving

const unsavedKey = `selfbehave ${location.pathname}`;
const timeout = 10000; // milliseconds
const pauses = [500, 1000, 2000, 4000]; // milliseconds between tries
let unsaved = {}; // value and what it was before, by field
let sending = null;

function remember() {
  try {
    if (Object.keys(unsaved).length) localStorage.setItem(unsavedKey, JSON.stringify(unsaved));
    else localStorage.removeItem(unsavedKey);
  } catch {
    // A browser may forbid it; then the answers are kept by this page alone.
  }
}

function keep(field) {
  const value = shown(field);
  if (value === (unsaved[field]?.value ?? saved[field])) return;
  unsaved[field] = { value, was: unsaved[field]?.was ?? saved[field] };
  remember();
  send();
}

function body(changes) {
  const values = Object.entries(changes).map(([field, change]) => [field, change.value]);
  return new URLSearchParams([...values, ["csrf", csrf]]);
}

function send() {
  sending ??= sendAll().finally(() => { sending = null; });
  return sending;
}

async function sendAll() {
  for (let tries = 0; Object.keys(unsaved).length; ) {
    const batch = { ...unsaved };
    say("saving", "Saving …");
    let told;
    try {
      told = await post(address, body(batch));
    } catch (error) {
      if (error instanceof Refused) {
        say("refused", error.message);
        return;
      }
      say("away", "Not saved: the study does not answer. Your answers are kept here and sent again.");
      await new Promise((go) => setTimeout(go, pauses[Math.min(tries++, pauses.length - 1)]));
      continue;
    }
    tries = 0;
    for (const [field, change] of Object.entries(batch)) {
      saved[field] = told.answers[field];
      if (unsaved[field]?.value === change.value) delete unsaved[field];
    }
    remember();
    update(told);
  }
  say("saved", "Saved");
}

class Refused extends Error {}

async function post(url, content) {
  const answer = await fetch(url, {
    method: "POST",
    body: content,
    headers: { Accept: "application/json" },
    keepalive: true,
    signal: AbortSignal.timeout(timeout),
  });
  const told = await answer.json();
  if (answer.status >= 400 && answer.status < 500) throw new Refused(`Not saved: ${told.error}`);
  if (!answer.ok) throw new Error(told.error);
  return told;
}

function update(told) {
  for (const field of fields) {
    saved[field] = told.answers[field];
    const typing = field === "note" && document.activeElement === note;
    if (!(field in unsaved) && !typing) show(field, saved[field]);
  }
  document.getElementById("finished").textContent = told.finished;
  document.getElementById("progress").value = told.finished;
}

async function refresh() {
  if (sending) return;
  try {
    const answer = await fetch(address, { headers: { Accept: "application/json" } });
    if (answer.ok) update(await answer.json());
  } catch {
    // Nothing was to be saved; the next answer will tell if the server is away.
  }
}

function say(state, words) {
  statusLine.dataset.state = state;
  if (statusLine.textContent !== words) statusLine.textContent = words;
}

// What an earlier page could not save, unless it was answered otherwise since.
function recall() {
  let kept = {};
  try {
    kept = JSON.parse(localStorage.getItem(unsavedKey)) ?? {};
  } catch {
    // As above, or not of our making.
  }
  for (const [field, change] of Object.entries(kept)) {
    if (!fields.includes(field) || saved[field] !== change.was) continue;
    show(field, change.value);
    unsaved[field] = change;
  }
  remember();
  if (Object.keys(unsaved).length) send();
}

let typing;
note.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => keep("note"), 400);
});
note.addEventListener("blur", () => keep("note"));
form.addEventListener("change", (event) => {
  if (event.target.name) keep(event.target.name);
});
addEventListener("pagehide", () => {
  keep("note");
  if (Object.keys(unsaved).length) navigator.sendBeacon(address, body(unsaved));
});
addEventListener("pageshow", (event) => { if (event.persisted) refresh(); });
document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });

// ---- going from scenario to scenario

const back = document.getElementById("back");
const next = document.getElementById("next");

async function go(link) {
  if (!link.href) return;
  keep("note");
  await send();
  // A page is left only when all of it is saved.
  if (!Object.keys(unsaved).length) location.assign(link.href);
}

for (const link of document.querySelectorAll(".bar a:not(#guide-link), .onward")) {
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    go(link);
  });
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (event.submitter?.id === "undo") undo();
  else goOn();
});

async function undo() {
  keep("note");
  await send();
  if (Object.keys(unsaved).length) return;
  try {
    const told = await post(new URL("undo", address), body({}));
    if (told.undone === false) say("saved", "Nothing to undo");
    else if (new URL(told.position, address).href !== address) location.assign(told.position);
    else {
      const changed = cards.findIndex((card) => saved[card.dataset.field] !== told.answers[card.dataset.field]);
      update(told);
      if (changed >= 0) choose(changed);
      say("saved", "Undone");
    }
  } catch (error) {
    say("away", error instanceof Refused ? error.message : "Not undone: the study does not answer.");
  }
}

// ---- the keys

let current = 0;

const isOpen = (card) => !("agreed" in card.dataset) && !shown(card.dataset.field);

function mark(number) {
  current = number;
  cards.forEach((card, at) => card.classList.toggle("current", at === number));
}

function choose(number) {
  mark(number);
  cards[number].focus({ preventScroll: true });
  cards[number].scrollIntoView({ block: "nearest" });
}

function answer(value) {
  const { field } = cards[current].dataset;
  show(field, value);
  keep(field);
  const open = cards.findIndex((card, at) => at > current && isOpen(card));
  const any = open >= 0 ? open : cards.findIndex(isOpen);
  if (any >= 0) choose(any);
  else next.focus();
}

function goOn() {
  const open = cards.findIndex(isOpen);
  if (open >= 0) choose(open);
  else go(next);
}

form.addEventListener("focusin", (event) => {
  const card = event.target.closest("fieldset.question");
  if (card) mark(cards.indexOf(card));
});

const useKeys = document.getElementById("use-keys");
try {
  useKeys.checked = localStorage.getItem("selfbehave keys") !== "off";
} catch {
  // As above.
}
useKeys.addEventListener("change", () => {
  try {
    localStorage.setItem("selfbehave keys", useKeys.checked ? "on" : "off");
  } catch {
    // As above.
  }
});

const keys = {
  y: () => answer("yes"),
  n: () => answer("no"),
  u: undo,
  i: () => flag.click(),
  w: () => note.focus(),
  g: openGuide,
  "?": openGuide,
  ArrowLeft: () => go(back),
  ArrowRight: () => go(next),
};

document.addEventListener("keydown", (event) => {
  const { key, target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (guide.open) {
    if (useKeys.checked && (key === "g" || key === "?")) guide.close();
    return;
  }
  if (target === note) {
    if (key === "Escape") choose(current);
    return;
  }
  if (key === "Enter") {
    if (target.matches("body, h1, fieldset, .pane, input")) {
      event.preventDefault();
      goOn();
    }
    return;
  }
  // A screen reader or a radio button has its own use for these keys.
  if (!useKeys.checked || (key.startsWith("Arrow") && target.matches("input, .pane"))) return;
  const number = Number(key) - 1;
  const act = number in cards ? () => choose(number) : keys[key];
  if (!act) return;
  event.preventDefault();
  act();
});

function openGuide() {
  guide.showModal();
  document.getElementById("guide-heading").focus();
}

document.getElementById("guide-link").addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  openGuide();
});

mark(Math.max(0, cards.findIndex(isOpen)));
recall();
