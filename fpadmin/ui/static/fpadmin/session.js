// Asks before the session ends whether somebody is still there, and covers the page when it has ended.
// The server's answer counts: another window may have put the end off.
// ES2019: offices run browsers as old as Chrome 86.
(function () {
  "use strict";

  const OTHERS = 10000; // how often the open question looks whether another window went on

  const dialog = document.getElementById("session-end");
  if (!dialog || !dialog.showModal) return;
  const warn = Number(dialog.dataset.fpWarn);
  const title = dialog.querySelector("h2");
  const text = document.getElementById("session-end-text");
  const countdown = dialog.querySelector("[data-fp-countdown]");
  const goOn = dialog.querySelector("[data-fp-go-on]");
  const goOut = dialog.querySelector("[data-fp-go-out]");
  const goIn = dialog.querySelector("[data-fp-go-in]");
  let end = Date.now() + Number(dialog.dataset.fpLeft) * 1000;
  let extends_ = true;
  let answered = false; // the absolute end was read; nothing more to ask
  let over = false;
  let askedAt = 0;
  let closing = false;
  let before = null;

  function left() { return Math.ceil((end - Date.now()) / 1000); }

  function ask(options) {
    askedAt = Date.now();
    return fetch(dialog.dataset.fpAsk, Object.assign(
      { credentials: "same-origin", redirect: "manual" }, options
    )).then(function (answer) {
      if (answer.type === "opaqueredirect") return finish();
      return answer.json().then(function (state) {
        end = Date.now() + state.left * 1000;
        extends_ = state.extends;
        if (left() > warn) close();
        else if (!answered && !dialog.open) open();
      });
    }).catch(function () {
      if (left() < -30) finish(); // no network: the clock of this page decides
    });
  }

  function open() {
    before = document.activeElement;
    text.textContent = extends_
      ? "很久没有操作，快要自动退出了。要继续工作吗？"
      : "今天登录的时间已经很长，快要自动退出了。请先保存，再重新登录。";
    goOn.textContent = extends_ ? "继续工作" : "知道了";
    tell();
    // Taking the focus makes a field tell that it changed, and some forms ask the server then; that
    // would be activity where there is none.
    document.addEventListener("change", hush, true);
    dialog.showModal();
    goOn.focus();
    document.removeEventListener("change", hush, true);
  }

  function hush(event) { event.stopPropagation(); }

  function tell() {
    const seconds = Math.max(0, left());
    const minutes = Math.floor(seconds / 60);
    countdown.textContent = (minutes ? minutes + "分" : "") + (seconds % 60) + "秒后自动退出";
  }

  function close() {
    if (!dialog.open || over) return;
    closing = true;
    dialog.close();
    if (before && before.focus) before.focus();
  }

  function stay() {
    if (over) return;
    if (!extends_) {
      answered = true;
      close();
      return;
    }
    const token = dialog.querySelector("input[name=csrfmiddlewaretoken]").value;
    ask({ method: "POST", body: new URLSearchParams({ csrfmiddlewaretoken: token }) });
  }

  function finish() {
    if (over) return;
    over = true;
    if (!dialog.open) open();
    dialog.classList.add("is-ended");
    title.textContent = "登录已过期";
    text.textContent = "为了安全已自动退出。正在填写的登记表已存为草稿，重新登录后可以恢复。";
    countdown.textContent = "";
    goOn.hidden = goOut.hidden = true;
    goIn.hidden = false;
    const page = window.location.pathname + window.location.search;
    goIn.href = dialog.dataset.fpDoor + "?next=" + encodeURIComponent(page);
    goIn.focus();
  }

  function tick() {
    if (over) return;
    const seconds = left();
    const again = Date.now() - askedAt >= OTHERS;
    if (dialog.open) tell();
    if (seconds <= -1) {
      if (again) ask();
    } else if (seconds <= warn && again && (dialog.open || !answered)) {
      ask();
    }
  }

  goOn.addEventListener("click", stay);
  // Esc: whoever presses it is there. Browsers let nobody refuse a second Esc, so the end of the
  // session opens again.
  dialog.addEventListener("close", function () {
    if (over) dialog.showModal();
    else if (!closing) stay();
    closing = false;
  });
  window.setInterval(tick, 1000);
})();
