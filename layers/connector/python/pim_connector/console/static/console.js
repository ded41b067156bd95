// Pages work without this, but for uploads; it saves reloading them. What the server rendered is
// taken over as it is, so no text ever becomes markup here.
"use strict";

const token = document.body.dataset.token;

async function fetched(address, options) {
  const answer = await fetch(address, options);
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

function takeOver(page, selector) {
  const fresh = page.querySelector(selector), old = document.querySelector(selector);
  if (fresh && old && fresh.outerHTML !== old.outerHTML) old.replaceWith(fresh);
}

function keepFresh() {
  const seconds = Number(document.querySelector("main").dataset.refresh);
  if (!seconds) return;
  setTimeout(async () => {
    const idle = !document.hidden && getSelection().isCollapsed;
    const inside = document.querySelector("main").contains(document.activeElement)
      && document.activeElement.id !== "main";
    try {
      if (idle && !inside) takeOver(await fetched(location.href), "main");
    } catch { /* the network is away for a moment; try again */ }
    keepFresh();
  }, seconds * 1000);
}

async function post(address, fields) {
  const answer = await fetch(address, { method: "POST", body: new URLSearchParams({ token, ...fields }) });
  let told = {};
  try { told = await answer.json(); } catch { /* not ours to read */ }
  if (!answer.ok) throw new Error(told.problem || "The console did not answer. Try again.");
  return told;
}

function sent(file, address, progress) {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    request.open("PUT", address);
    request.upload.addEventListener("progress", event => {
      if (event.lengthComputable) progress.value = 100 * event.loaded / event.total;
    });
    request.addEventListener("load", () => request.status < 300 ? done() : failed(new Error(`The bucket refused the file (${request.status}). Try again.`)));
    request.addEventListener("error", () => failed(new Error("The upload broke off. Check the connection and try again.")));
    request.send(file);
  });
}

function upload(form) {
  const input = form.querySelector("input[type=file]"), said = form.querySelector(".said");
  const progress = form.querySelector("progress"), button = form.querySelector("button");
  for (const [name, over] of [["dragover", true], ["dragleave", false], ["drop", false]]) {
    form.addEventListener(name, event => {
      event.preventDefault();
      form.classList.toggle("over", over);
    });
  }
  form.addEventListener("drop", event => {
    if (!event.dataTransfer.files.length || input.disabled) return;
    input.files = event.dataTransfer.files;
    form.requestSubmit();
  });
  form.addEventListener("submit", async event => {
    event.preventDefault();
    const file = input.files[0];
    button.disabled = true;
    progress.hidden = false;
    progress.value = 0;
    said.className = "said";
    said.textContent = `Uploading ${file.name} …`;
    try {
      const place = await post("/uploads", { source: form.dataset.source, name: file.name, size: file.size, for: form.dataset.for });
      await sent(file, place.put, progress);
      said.textContent = "Uploaded.";
      location.assign((await post("/uploads/done", { key: place.key })).location);
    } catch (error) {
      said.className = "said notice bad";
      said.textContent = error.message;
      progress.hidden = true;
      button.disabled = false;
    }
  });
}

function editor(form) {
  const mapping = form.querySelector("textarea"), gutter = form.querySelector(".gutter");
  const shelf = form.querySelector(".suggestions");
  let words = {};
  fetch("/studio-words").then(answer => answer.json()).then(told => { words = told; suggest(); });

  function number() {
    const marked = new Map();
    for (const [kind, selector] of [["warn", "#result .warn [data-line]"], ["bad", "#result .bad [data-line]"]]) {
      for (const each of form.querySelectorAll(selector)) marked.set(Number(each.dataset.line), kind);
    }
    const lines = mapping.value.split("\n").length;
    gutter.replaceChildren(...Array.from({ length: lines }, (_, place) => {
      const mark = document.createElement("span");
      mark.className = marked.get(place + 1) ?? "";
      mark.textContent = place + 1;
      return [mark, "\n"];
    }).flat());
    gutter.scrollTop = mapping.scrollTop;
  }

  function candidates() {
    const before = mapping.value.slice(0, mapping.selectionStart);
    const lines = before.split("\n"), line = lines.at(-1);
    const typed = /^(\s*(?:- )?)([\w]*)$/.exec(line) ?? /^(.*[{,]\s*)([\w]*)$/.exec(line);
    if (!typed || mapping.selectionStart !== mapping.selectionEnd) return [];
    const above = [];
    let depth = line.search(/\S|$/);
    for (let place = lines.length - 2; place >= 0 && depth; place--) {
      const key = /^(\s*)(?:- )?([\w]+):/.exec(lines[place]);
      if (!key || key[1].length >= depth) continue;
      depth = key[1].length;
      above.unshift(key[2]);
    }
    const inline = /(\w+):\s*\{[^}]*$/.exec(line);
    if (inline) above.push(inline[1]);
    const under = above.reduce((here, key) => words[here]?.includes(key) && words[key] ? key : here, "");
    const known = words[under] ?? [];
    return known.filter(word => word.startsWith(typed[2]) && word !== typed[2]).map(word => [word, typed[2]]);
  }

  function suggest() {
    shelf.replaceChildren(...candidates().slice(0, 12).map(([word]) => {
      const each = document.createElement("span");
      each.textContent = word;
      return each;
    }));
  }

  mapping.addEventListener("scroll", () => { gutter.scrollTop = mapping.scrollTop; });
  mapping.addEventListener("input", () => { number(); suggest(); });
  mapping.addEventListener("keyup", suggest);
  mapping.addEventListener("click", suggest);
  mapping.addEventListener("keydown", event => {
    if (!(event.ctrlKey && event.code === "Space")) return;
    event.preventDefault();
    const [first] = candidates();
    if (!first) return;
    const [word, typed] = first;
    mapping.setRangeText(`${word.slice(typed.length)}: `, mapping.selectionStart, mapping.selectionStart, "end");
    mapping.dispatchEvent(new Event("input", { bubbles: true }));
  });
  number();
  return number;
}

function studio(form) {
  const mapping = form.querySelector("textarea"), number = editor(form);
  let timer, turn = 0;

  async function show(submitter) {
    clearTimeout(timer);
    const mine = ++turn, data = new URLSearchParams(new FormData(form, submitter));
    document.getElementById("result").classList.add("busy");
    try {
      const address = submitter?.hasAttribute("formaction") ? submitter.formAction : form.action;
      const page = await fetched(address, { method: "POST", body: data });
      if (mine !== turn) return;
      const focused = document.activeElement?.closest("#record, #result") && document.activeElement;
      const again = focused?.value && focused.name === "go" ? `#record [value=${focused.value}]` : focused?.id && `#${focused.id}`;
      const numbered = page.querySelector("#record pre") || document.activeElement?.id === "number";
      const parts = numbered || submitter ? ["#record", "#result", "#said", "#counted"] : ["#result", "#said"];
      if (page.querySelector("#result")) for (const part of parts) takeOver(page, part);
      else document.getElementById("said").textContent = page.querySelector("[role=alert]")?.textContent ?? "The preview did not come back: it took too long. Try a smaller sample or a simpler expression.";
      if (again) document.querySelector(again)?.focus();
      number();
    } catch {
      if (mine === turn) document.getElementById("said").textContent = "The console does not answer. Your text is still here; try again.";
    }
    document.getElementById("result").classList.remove("busy");
  }

  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(show, 400);
  });
  form.addEventListener("submit", event => {
    if (event.submitter?.hasAttribute("data-leave")) return;
    event.preventDefault();
    show(event.submitter);
  });
  form.addEventListener("click", event => {
    const line = Number(event.target.dataset?.line);
    if (!line) return;
    const start = mapping.value.split("\n").slice(0, line - 1).join("\n").length + (line > 1);
    const end = mapping.value.indexOf("\n", start);
    mapping.focus();
    mapping.setSelectionRange(start, end < 0 ? mapping.value.length : end);
    mapping.scrollTop = (line - 5) * parseFloat(getComputedStyle(mapping).lineHeight);
  });
}

keepFresh();
document.querySelectorAll("[data-upload]").forEach(upload);
document.querySelectorAll("[data-studio]").forEach(studio);
