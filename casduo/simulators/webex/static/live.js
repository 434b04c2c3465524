// Keeps the page up to date without losing what is typed or open, and shows and hides parts of cards at once.
"use strict";
(function () {
  const page = document.body;
  const log = document.querySelector("[data-log]");
  const words = document.querySelector("[data-words]");

  function atEnd() {
    const box = log.scrollHeight > log.clientHeight ? log : document.documentElement;
    return box.scrollHeight - box.scrollTop - box.clientHeight < 80;
  }

  function toEnd() {
    document.getElementById("latest").scrollIntoView({ block: "end" });
  }

  // Puts new messages in and takes deleted ones out; those that stayed the same stay where they are, with what is typed.
  function merge(old, fresh) {
    let place = old.firstElementChild;
    for (const item of Array.from(fresh.children)) {
      const same = Array.from(old.children).find(function (each) { return each.id === item.id; });
      const kept = same && same.dataset.version === item.dataset.version ? same : null;
      if (kept === null) {
        old.insertBefore(document.importNode(item, true), place);
      } else if (kept === place) {
        place = place.nextElementSibling;
      } else {
        old.insertBefore(kept, place);
      }
    }
    while (place) {
      const next = place.nextElementSibling;
      place.remove();
      place = next;
    }
  }

  function renew(fresh) {
    const follow = log && atEnd();
    for (const part of document.querySelectorAll("[data-part]")) {
      const other = fresh.querySelector('[data-part="' + part.dataset.part + '"]');
      if (other === null || part.outerHTML === other.outerHTML) {
        continue;
      }
      if ("merge" in part.dataset) {
        merge(part, other);
      } else {
        const at = Array.from(part.querySelectorAll("a")).indexOf(document.activeElement);
        part.replaceChildren(...Array.from(other.childNodes, function (node) { return document.importNode(node, true); }));
        const link = part.querySelectorAll("a")[at];
        if (link) {
          link.focus();
        }
      }
    }
    page.dataset.version = fresh.body.dataset.version;
    if (follow) {
      toEnd();
    }
  }

  async function look() {
    try {
      const answer = await fetch("/version", { cache: "no-store" });
      if (answer.ok && (await answer.text()) !== page.dataset.version) {
        const whole = await fetch(window.location.pathname + window.location.search, { cache: "no-store" });
        if (whole.ok) {
          renew(new DOMParser().parseFromString(await whole.text(), "text/html"));
        } else {
          window.location.reload();
          return;
        }
      }
    } catch (unreachable) {
      // The simulator may be down on purpose; the next look will tell.
    }
    window.setTimeout(look, 1000);
  }

  function toggle(link) {
    const card = link.closest("form");
    for (const line of link.dataset.targets.split("\n")) {
      const name = line.replace(/^[+-]/, "");
      for (const element of card.querySelectorAll("[data-element]")) {
        if (element.dataset.element === name) {
          element.hidden = line[0] === "+" ? false : line[0] === "-" ? true : !element.hidden;
        }
      }
    }
  }

  document.addEventListener("click", function (event) {
    const link = event.target.closest("a[data-targets]");
    if (link) {
      event.preventDefault();
      toggle(link);
    }
  });

  if (words) {
    words.addEventListener("keydown", function (event) {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        words.form.requestSubmit();
      }
    });
  }
  const problem = document.querySelector("[aria-invalid]");
  if (problem) {
    problem.focus();
  } else if (log && window.location.hash === "#latest") {
    toEnd();
  }
  window.setTimeout(look, 1000);
})();
