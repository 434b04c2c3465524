// Presses keys without leaving the page, types with the keypad, and shows what changed on the phone by itself.
"use strict";
(function () {
  const page = document.body;
  const device = document.getElementById("device");
  const display = document.getElementById("display");
  const LOOK_EVERY = 1000;
  const SAME_KEY = 900;
  let pressing = false;
  let presses = 0;
  let lastKey = { button: null, at: 0, round: 0 };

  // -- showing ---------------------------------------------------------------------------------------------------------

  function fields() {
    return device ? Array.from(device.querySelectorAll("#display input")) : [];
  }

  function activeField() {
    const shown = fields();
    if (shown.includes(document.activeElement)) {
      return document.activeElement;
    }
    return shown.find((field) => field.matches("[data-here]")) || shown[0] || null;
  }

  // A new form has the cursor in its first field. Otherwise the focus stays where it was, or goes to the display.
  function restoreFocus(name, isNew) {
    const field = isNew ? activeField() : null;
    const kept = name ? document.getElementById(name) : null;
    for (const wanted of [field, kept, name ? display : null]) {
      if (wanted) {
        wanted.focus({ preventScroll: true });
        if (document.activeElement === wanted) {
          return;
        }
      }
    }
  }

  function content(part) {
    const copy = part.cloneNode(true);
    copy.querySelectorAll("[data-clock]").forEach((clock) => clock.replaceChildren());
    copy.querySelectorAll("[aria-live]").forEach((row) => row.removeAttribute("aria-live"));
    return copy.dataset.part === undefined ? copy.outerHTML : copy.innerHTML;
  }

  function withoutNumbers(row) {
    return row.textContent.replace(/\d+/g, "");
  }

  // Seconds that count down on a page that stays are no news: their rows change without being read out.
  function count(part, source) {
    const rows = Array.from(part.querySelectorAll("[data-row]"));
    const fresh = Array.from(source.querySelectorAll("[data-row]"));
    if (rows.length === fresh.length && rows.every((row, place) => withoutNumbers(row) === withoutNumbers(fresh[place]))) {
      rows.forEach(function (row, place) {
        if (row.textContent !== fresh[place].textContent) {
          row.setAttribute("aria-live", "off");
          row.textContent = fresh[place].textContent;
        }
      });
    }
  }

  function update(part, source, samePage) {
    const present = Array.from(part.children);
    const wanted = Array.from(source.children);
    if (samePage && present.length === wanted.length) {
      count(part, source);
      present.forEach((child, place) => content(child) !== content(wanted[place]) && child.replaceWith(wanted[place]));
    } else if (content(source) !== content(part)) {
      part.replaceChildren(...source.childNodes);
    }
  }

  // Only what differs is touched, so that screen readers hear the display's new text and nothing else.
  function show(text) {
    const fresh = new DOMParser().parseFromString(text, "text/html");
    const focused = document.activeElement === page ? "" : document.activeElement.id;
    const before = display ? display.dataset.page : "";
    fresh.querySelectorAll("[autofocus]").forEach((field) => field.removeAttribute("autofocus"));
    for (const part of document.querySelectorAll("[data-part]")) {
      const source = fresh.getElementById(part.id);
      if (source) {
        update(part, source, part === display && source.dataset.page === before);
        Object.assign(part.dataset, source.dataset);
      }
    }
    document.title = fresh.title;
    page.dataset.version = fresh.body.dataset.version;
    restoreFocus(focused, display !== null && display.dataset.page !== before);
    scrollToItem();
  }

  function scrollToItem() {
    const here = document.querySelector("#display .menu [data-here]");
    if (here) {
      here.scrollIntoView({ block: "nearest" });
    }
  }

  // What was asked for before a key was pressed is older than what the key brought.
  async function reload() {
    const before = presses;
    const answer = await fetch(window.location.href, { cache: "no-store" });
    const text = await answer.text();
    if (answer.ok && presses === before) {
      show(text);
    }
  }

  async function look() {
    try {
      const answer = await fetch(page.dataset.watch, { cache: "no-store" });
      const state = answer.ok ? await answer.json() : null;
      if (state && !pressing && state.version !== page.dataset.version) {
        await reload();
      }
      for (const clock of document.querySelectorAll("[data-clock]")) {
        clock.textContent = (state && state.clock) || clock.textContent;
      }
    } catch (unreachable) {
      // The demo may be on its way down or up; the next look will tell.
    }
    window.setTimeout(look, LOOK_EVERY);
  }

  // -- pressing --------------------------------------------------------------------------------------------------------

  async function press(key) {
    if (pressing) {
      return;
    }
    pressing = true;
    presses += 1;
    const body = new URLSearchParams(new FormData(device));
    body.set("key", key);
    body.set("at", activeField() ? activeField().name : "");
    const slow = window.setTimeout(() => display.setAttribute("data-requesting", ""), 250);
    try {
      const answer = await fetch(device.action, { method: "POST", body: body });
      const text = await answer.text();
      if (answer.ok) {
        show(text);
      }
    } catch (unreachable) {
      // As above.
    }
    window.clearTimeout(slow);
    display.removeAttribute("data-requesting");
    pressing = false;
  }

  function put(field, text, replaced) {
    const end = field.selectionEnd === null ? field.value.length : field.selectionEnd;
    const start = replaced ? end - 1 : field.selectionStart === null ? end : field.selectionStart;
    field.focus();
    field.setRangeText(text, start, end, "end");
  }

  // A key pressed again at once goes through its letters, as on phones; fields for numbers take the digit only.
  function type(button, field) {
    const letters = button.dataset.digit + (field.matches("[data-digits]") ? "" : button.dataset.letters.toLowerCase());
    const again = lastKey.button === button && Date.now() - lastKey.at < SAME_KEY && letters.length > 1;
    const round = again ? (lastKey.round + 1) % letters.length : 0;
    put(field, letters[round], again);
    lastKey = { button: button, at: Date.now(), round: round };
  }

  function emptyField() {
    return fields().find((field) => field.value === "");
  }

  function moveAmongFields(step) {
    const shown = fields();
    const next = shown[shown.indexOf(activeField()) + step];
    if (next) {
      next.focus();
    }
  }

  function use(button) {
    const field = activeField();
    if (field && button.dataset.digit) {
      type(button, field);
    } else if (field && (button.value === "up" || button.value === "down")) {
      moveAmongFields(button.value === "up" ? -1 : 1);
    } else if (field && button.value === "select" && emptyField()) {
      emptyField().focus();
    } else {
      press(button.value);
    }
  }

  // Digits and arrows of the keyboard are keys of the phone while the focus is on the phone and not in a field.
  function onKey(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || (event.key === "Enter" && event.target.matches("button"))) {
      return;
    }
    const inField = event.target.matches("input");
    const names = { ArrowUp: "key-up", ArrowDown: "key-down", Escape: "key-back" };
    let button = document.getElementById(names[event.key] || "");
    if (!inField && /^[0-9*#]$/.test(event.key)) {
      button = device.querySelector('[data-digit="' + event.key + '"]');
    }
    if (button && !event.target.closest(".text")) {
      event.preventDefault();
      use(button);
    }
  }

  if (device) {
    device.addEventListener("submit", function (event) {
      event.preventDefault();
      use(event.submitter || device.querySelector("button"));
    });
    device.addEventListener("keydown", onKey);
    // The keypad types where the cursor is: a press with the mouse must not take it away.
    for (const button of device.querySelectorAll(".keypad button, .cluster button")) {
      button.addEventListener("mousedown", (event) => event.preventDefault());
    }
    const first = activeField();
    if (first) {
      first.removeAttribute("autofocus");
      first.focus();
    }
    scrollToItem();
  }
  window.setTimeout(look, LOOK_EVERY);
})();
