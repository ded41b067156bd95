// A page inside the PIM: gets the PIM's token from the page around it, and the data with it.
"use strict";

const pim = document.body.dataset.pim;
const content = document.getElementById("content");
const PATIENCE = 10000;

function say(template) {
  content.replaceChildren(document.getElementById(template).content.cloneNode(true));
  content.setAttribute("aria-busy", "false");
}

async function show(token) {
  const address = `${location.pathname}/data${location.search}`;
  try {
    const answer = await fetch(address, { headers: { authorization: `Bearer ${token}` } });
    content.innerHTML = await answer.text();
    content.setAttribute("aria-busy", "false");
  } catch {
    say("failed");
  }
}

if (window.parent === window) {
  say("outside");
} else {
  const late = setTimeout(() => say("outside"), PATIENCE);
  addEventListener("message", (event) => {
    if (event.origin !== pim || event.source !== window.parent) return;
    if (event.data?.type !== "JWT_TOKEN" || typeof event.data.token !== "string") return;
    clearTimeout(late);
    show(event.data.token);
  });
  window.parent.postMessage({ type: "request_jwt" }, pim);
}
