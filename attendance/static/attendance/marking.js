"use strict";

// Type to find, Enter to mark, Enter on an empty line to go to Save. Without this the page is a form for the mouse.
const form = document.getElementById("sheet-form");
const find = document.getElementById("sheet-find");

if (find !== null) {
  const said = document.getElementById("sheet-said");
  const counts = document.getElementById("sheet-counts");
  const byDefault = document.getElementById("sheet-default");
  const lines = [...form.querySelectorAll(".sheet-line[data-name]")].map((item) => ({
    item,
    name: item.dataset.name,
    words: folded(`${item.dataset.name} ${item.dataset.no}`).split(/[\s,]+/),
    radios: [...item.querySelectorAll("input[type=radio]")],
    minutes: item.querySelector(".sheet-minutes"),
    before: item.dataset.before,
    minutesBefore: item.dataset.minutes,
    isKept: item.querySelector(".sheet-codes").disabled,
  }));
  const [first] = lines;
  const labels = new Map(first ? first.radios.map((each) => [each.value, label(each)]) : []);
  let current = null;
  let isChanged = false;

  function folded(text) {
    return text.normalize("NFD").replace(/\p{Mark}/gu, "").toLowerCase();
  }

  function label(radio) {
    return radio.value === "" ? "" : radio.nextElementSibling.textContent;
  }

  function code(line) {
    const checked = line.radios.find((each) => each.checked);
    return checked ? checked.value : "";
  }

  // Only of somebody who was there, other than everybody else, is there something to say about minutes.
  function isForMinutes(line, own) {
    const radio = line.radios.find((each) => each.value === own);
    return own !== byDefault.value && radio !== undefined && radio.parentElement.classList.contains("is-there");
  }

  function choose(line, value) {
    const radio = line.radios.find((each) => each.value === value);
    if (radio === undefined || line.isKept) {
      return;
    }
    radio.checked = true;
    line.last = value;
    line.minutes.disabled = value === "";
    if (value !== line.before) {
      line.minutes.value = "";
    }
    said.textContent = `${line.name}: ${labels.get(value) || "not named"}`;
    show();
  }

  function show() {
    const found = new Map();
    for (const line of lines) {
      const own = code(line);
      const counted = own || byDefault.value;
      found.set(counted, (found.get(counted) || 0) + 1);
      line.item.classList.toggle("is-missed", own === form.dataset.away);
      line.minutes.classList.toggle("is-idle", line.minutes.value === "" && !isForMinutes(line, own));
      for (const radio of line.radios.filter((each) => each.value !== "")) {
        radio.parentElement.classList.toggle("by-default", own === "" && radio.value === byDefault.value);
      }
    }
    const parts = [...found].map(([each, count]) => `${count} ${(labels.get(each) || "not marked").toLowerCase()}`);
    counts.value = parts.join(" · ");
  }

  function pointTo(line) {
    current?.item.classList.remove("is-current");
    current = line;
    isChanged = false;
    if (line !== null) {
      line.item.classList.add("is-current");
      line.item.scrollIntoView({ block: "nearest" });
    }
  }

  function narrow() {
    const wanted = folded(find.value).split(/[\s,]+/).filter((each) => each !== "");
    for (const line of lines) {
      line.item.hidden = !wanted.every((each) => line.words.some((word) => word.startsWith(each)));
    }
    const left = lines.filter((line) => !line.item.hidden);
    pointTo(wanted.length > 0 && left.length > 0 ? left[0] : null);
    if (wanted.length > 0 && left.length === 0) {
      said.textContent = "Nobody of this name is expected.";
    }
  }

  function clear() {
    find.value = "";
    narrow();
  }

  function move(by) {
    const left = lines.filter((line) => !line.item.hidden);
    const place = left.indexOf(current);
    const next = place < 0 ? (by > 0 ? 0 : left.length - 1) : Math.min(Math.max(place + by, 0), left.length - 1);
    pointTo(left[next] ?? null);
  }

  function turn(by) {
    const values = current.radios.map((each) => each.value).filter((each) => each !== "" || current.before === "");
    const place = values.indexOf(code(current) || byDefault.value);
    choose(current, values[(place + by + values.length) % values.length]);
    isChanged = true;
  }

  function enter() {
    if (current === null && find.value.trim() !== "") {
      return;
    }
    if (current === null) {
      document.getElementById("sheet-save").focus();
      return;
    }
    if (!isChanged) {
      const away = form.dataset.away;
      choose(current, code(current) === away ? (current.before === away ? byDefault.value : current.before) : away);
    }
    clear();
  }

  const keys = {
    Enter: enter,
    Escape: clear,
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
    ArrowRight: () => turn(1),
    ArrowLeft: () => turn(-1),
  };

  find.addEventListener("input", narrow);
  find.addEventListener("keydown", (event) => {
    const isForText = event.key.startsWith("Arrow") && !event.key.match(/Up|Down/) && current === null;
    if (event.isComposing || isForText || !(event.key in keys)) {
      return;
    }
    event.preventDefault();
    keys[event.key]();
  });
  form.addEventListener("click", (event) => {
    const radio = event.target;
    const line = lines.find((each) => each.radios.includes(radio));
    if (line !== undefined && line.before === "" && line.last === radio.value) {
      choose(line, "");
    }
    if (line !== undefined) {
      line.last = code(line);
    }
  });
  form.addEventListener("change", (event) => {
    const line = lines.find((each) => each.radios.includes(event.target));
    if (line !== undefined) {
      choose(line, code(line));
    }
    show();
  });
  form.addEventListener("submit", () => {
    // Only what was changed is sent: what others change meanwhile is theirs, and forms have no room for large classes.
    for (const line of lines.filter((each) => code(each) === each.before && each.minutes.value === each.minutesBefore)) {
      line.item.querySelector(".sheet-codes").disabled = true;
    }
  });
  show();
}
