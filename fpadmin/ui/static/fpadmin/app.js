// Behaviours shared by every page. Each only eases what works without scripts.
// ES2019: offices run browsers as old as Chrome 86.
(function () {
  "use strict";

  function each(selector, act, root) {
    Array.prototype.forEach.call((root || document).querySelectorAll(selector), act);
  }

  const labels = new Map(); // button under way → what it said before

  // A second submit of the same form is swallowed; the button says that work is under way.
  // data-fp-repeat opts out: forms that answer with a file and leave the page as it is.
  function guardSubmit(event) {
    const form = event.target;
    if (event.defaultPrevented || form.hasAttribute("data-fp-repeat")) return;
    if (form.dataset.fpSent) {
      event.preventDefault();
      return;
    }
    form.dataset.fpSent = "1";
    const button = event.submitter;
    // After the browser has collected the form: a disabled button would not send its name.
    window.setTimeout(function () {
      if (!button || button.tagName !== "BUTTON") return;
      labels.set(button, Array.from(button.childNodes));
      button.setAttribute("aria-disabled", "true");
      button.classList.add("disabled");
      if (form.method === "post") button.replaceChildren("处理中…");
    }, 0);
  }

  // Back from the next page may show this one as it was left.
  function releaseForms() {
    each("form[data-fp-sent]", function (form) { delete form.dataset.fpSent; });
    labels.forEach(function (said, button) {
      button.replaceChildren.apply(button, said);
      button.removeAttribute("aria-disabled");
      button.classList.remove("disabled");
    });
    labels.clear();
  }

  // Keys belong to the input method while it composes: Enter picks a word and must not submit the
  // form, Esc drops one and must not close what is open.
  function guardComposing(event) {
    if (!event.isComposing && event.keyCode !== 229) return;
    event.stopPropagation();
    if (event.key === "Enter") event.preventDefault();
  }

  // News first, else the first field of a form that is there to be filled in. On a touch screen
  // the field would raise the keyboard over the page.
  function focusFirst() {
    const news = document.querySelector("[data-fp-focus]");
    const typing = window.matchMedia("(pointer: fine)").matches;
    const field = "input:not([type=hidden]):not([disabled]), select, textarea";
    const form = document.querySelector("form[data-fp-leave]");
    const first = news || (typing && form && !window.location.hash && form.querySelector(field));
    if (first) first.focus({ preventScroll: first !== news });
  }

  // Esc closes the innermost thing that was opened around the focus, and goes back to its opener.
  function closeOpened(event) {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    const opened = document.activeElement && document.activeElement.closest("details[open]");
    if (!opened) return;
    opened.open = false;
    opened.querySelector("summary").focus();
  }

  // A link of the error summary leads into its field, not only to its place.
  function followError(event) {
    const link = event.target.closest(".fp-errs a");
    if (!link) return;
    const field = document.getElementById(link.hash.slice(1));
    if (!field) return;
    event.preventDefault();
    field.scrollIntoView({ block: "center" });
    field.focus({ preventScroll: true });
  }

  // Forms with data-fp-leave ask before their changes are thrown away.
  function warnBeforeLeaving() {
    let changed = false;
    each("form[data-fp-leave]", function (form) {
      form.addEventListener("input", function () { changed = true; });
      form.addEventListener("submit", function () { changed = false; });
    });
    // Signing in again after the session ended: what is kept was kept by then.
    document.addEventListener("click", function (event) {
      if (event.target.closest("[data-fp-go-in]")) changed = false;
    });
    window.addEventListener("beforeunload", function (event) {
      if (!changed) return;
      event.preventDefault();
      event.returnValue = "";
    });
  }

  // 显示 and 隐藏 beside a password: data-fp-shows names the input.
  function togglePassword(event) {
    const button = event.target.closest("[data-fp-shows]");
    if (!button) return;
    const input = document.getElementById(button.dataset.fpShows);
    const shown = input.type === "password";
    input.type = shown ? "text" : "password";
    button.setAttribute("aria-pressed", String(shown));
    button.lastChild.textContent = shown ? "隐藏" : "显示";
    input.focus();
  }

  function toggleMore(event) {
    const link = event.target.closest("[data-fp-more]");
    if (!link) return;
    event.preventDefault();
    const open = link.closest(".fp-filter").classList.toggle("is-open");
    link.setAttribute("aria-expanded", String(open));
  }

  function submitOnChange(event) {
    const form = event.target.form;
    if (form && form.hasAttribute("data-fp-autosubmit")) form.submit();
  }

  // A number in clear hides itself again: data-fp-mask-after seconds, data-fp-masked the masked text.
  function maskAgain() {
    each("[data-fp-mask-after]:not([data-fp-counting])", function (box) {
      box.setAttribute("data-fp-counting", "");
      const value = box.querySelector("[data-fp-value]");
      const count = box.querySelector("[data-fp-count]");
      let left = Number(box.dataset.fpMaskAfter);
      const timer = window.setInterval(tick, 1000);
      function tick() {
        left -= 1;
        if (count) count.textContent = left + "秒后遮住";
        if (left <= 0) hide();
      }
      function hide() {
        window.clearInterval(timer);
        value.textContent = box.dataset.fpMasked;
        each("[data-fp-count], [data-fp-hide]", function (part) { part.remove(); }, box);
      }
      each("[data-fp-hide]", function (button) { button.addEventListener("click", hide); }, box);
    });
  }

  // The chosen way on is tinted; the radio itself tells it to everybody else.
  function tintChoice() {
    each(".fp-choice", function (label) {
      const input = label.querySelector("input");
      label.classList.toggle("is-on", Boolean(input && input.checked));
    });
  }

  document.addEventListener("submit", guardSubmit);
  document.addEventListener("keydown", guardComposing, true);
  document.addEventListener("keydown", closeOpened);
  document.addEventListener("click", followError);
  document.addEventListener("click", togglePassword);
  document.addEventListener("click", toggleMore);
  document.addEventListener("change", submitOnChange);
  document.addEventListener("change", tintChoice);
  document.addEventListener("htmx:afterSettle", maskAgain);
  window.addEventListener("pageshow", releaseForms);
  document.addEventListener("DOMContentLoaded", function () {
    focusFirst();
    warnBeforeLeaving();
    maskAgain();
    tintChoice();
    each("[data-fp-shows]", function (button) { button.hidden = false; });
  });
})();
