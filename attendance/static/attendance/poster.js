"use strict";

// Asks for the next code when the one on the wall is over; shows none that is.
const poster = document.getElementById("poster");
const AGAIN = 2;

function part(name) {
  return document.getElementById(`poster-${name}`);
}

function show(state) {
  const isShown = state.image !== "";
  const wasShown = !part("image").hidden;
  part("lost").hidden = true;
  part("count").value = state.checked_in;
  part("image").hidden = !isShown;
  part("closed").hidden = isShown;
  part("how").hidden = !isShown;
  if (isShown) {
    part("image").src = state.image;
  }
  if (isShown !== wasShown) {
    window.location.reload();
  }
}

async function ask() {
  let seconds = AGAIN;
  try {
    const answer = await fetch(poster.dataset.codeUrl, { headers: { Accept: "application/json" }, redirect: "error" });
    if (!answer.ok) {
      throw new Error(String(answer.status));
    }
    const state = await answer.json();
    show(state);
    seconds = state.seconds;
  } catch {
    part("lost").hidden = false;
    part("image").hidden = true;
  }
  window.setTimeout(ask, seconds * 1000);
}

window.setTimeout(ask, Number(poster.dataset.seconds) * 1000);
