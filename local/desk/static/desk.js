// Pages work without this; it saves reloading them. What the server rendered is taken over as
// it is, so no text ever becomes markup here.
"use strict";

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
    } catch { /* the stack is being stopped or started; try again */ }
    keepFresh();
  }, seconds * 1000);
}

function dropZone(form) {
  const input = form.querySelector("input[type=file]");
  for (const [name, over] of [["dragover", true], ["dragleave", false], ["drop", false]]) {
    form.addEventListener(name, event => {
      event.preventDefault();
      form.classList.toggle("over", over);
    });
  }
  form.addEventListener("drop", event => {
    if (!event.dataTransfer.files.length) return;
    input.files = event.dataTransfer.files;
    form.requestSubmit();
  });
}

function studio(form) {
  const mapping = form.querySelector("textarea");
  let timer, turn = 0;

  async function show(submitter) {
    clearTimeout(timer);
    const mine = ++turn, data = new FormData(form, submitter);
    document.getElementById("result").classList.add("busy");
    try {
      const page = await fetched(submitter?.hasAttribute("formaction") ? submitter.formAction : form.action, { method: "POST", body: data });
      if (mine !== turn) return;
      const focused = document.activeElement?.closest("#record, #result") && document.activeElement;
      const again = focused?.value && focused.name === "go" ? `#record [value=${focused.value}]` : focused?.id && `#${focused.id}`;
      const numbered = page.querySelector("#record pre") || document.activeElement?.id === "number";
      for (const part of numbered || submitter ? ["#record", "#result", "#said"] : ["#result", "#said"]) takeOver(page, part);
      if (again) document.querySelector(again)?.focus();
    } catch {
      if (mine === turn) document.getElementById("said").textContent = "The server does not answer. Is the local stack up?";
    }
    document.getElementById("result").classList.remove("busy");
  }

  form.addEventListener("input", event => {
    if (event.target.name === "source") return;
    clearTimeout(timer);
    timer = setTimeout(show, 300);
  });
  form.addEventListener("submit", event => {
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
document.querySelectorAll("[data-drop]").forEach(dropZone);
document.querySelectorAll("[data-studio]").forEach(studio);
