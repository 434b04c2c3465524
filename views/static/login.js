// The sign-in form works without this; with it, it is a little kinder.
(function () {
  "use strict";
  const byId = (id) => document.getElementById(id);
  const form = byId("login");
  const password = byId("password");
  const reveal = byId("reveal");
  const capsLock = byId("caps-lock");
  const submit = form.querySelector("button[type=submit]");

  // Reading what went wrong comes before typing. Browsers that know autofocus for any element have done this already.
  const problem = byId("problem");
  if (problem) requestAnimationFrame(() => problem.focus());

  function show(visible) {
    password.type = visible ? "text" : "password";
    reveal.setAttribute("aria-pressed", String(visible));
  }
  reveal.hidden = false;
  reveal.addEventListener("click", () => show(password.type === "password"));

  function noteCapsLock(event) {
    // Filled-in passwords send key events without a keyboard behind them.
    if (!event.getModifierState) return;
    const text = event.getModifierState("CapsLock") ? capsLock.dataset.text : "";
    if (capsLock.textContent !== text) capsLock.textContent = text;
  }
  password.addEventListener("keydown", noteCapsLock);
  password.addEventListener("keyup", noteCapsLock);
  password.addEventListener("blur", () => { capsLock.textContent = ""; });

  // A hidden password is what browsers offer to save, and a button switched off before the request starts sends nothing.
  form.addEventListener("submit", () => {
    show(false);
    setTimeout(() => { submit.disabled = true; });
  });
  window.addEventListener("pageshow", () => { submit.disabled = false; });

  // Only the end is announced: the start was, by the text of the problem.
  const countdown = byId("countdown");
  if (countdown) {
    const end = Date.now() + countdown.dataset.seconds * 1000;
    const digits = countdown.querySelector(".digits");
    const tick = () => {
      const left = Math.max(0, Math.ceil((end - Date.now()) / 1000));
      digits.textContent = Math.floor(left / 60) + ":" + String(left % 60).padStart(2, "0");
      if (left) return;
      clearInterval(timer);
      countdown.hidden = true;
      problem.hidden = true;
      byId("try-now").textContent = byId("try-now").dataset.text;
    };
    const timer = setInterval(tick, 500);
    countdown.hidden = false;
    tick();
  }
})();
