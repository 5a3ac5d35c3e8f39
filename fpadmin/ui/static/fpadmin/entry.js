// Drafts of long forms: what is typed goes to the server a moment later, and when the page is left.
// The server decides everything else: what is kept, for whom, and whether it may be restored.
// ES2019: offices run browsers as old as Chrome 86.
(function () {
  "use strict";

  const PAUSE = 1500; // after the last key
  const AT_LATEST = 10000; // while somebody types on and on

  function keep(token) {
    const form = token.form;
    const said = document.createElement("span");
    let waits = token.hasAttribute("data-fp-draft-waits"); // an older draft is undecided
    let changed = false;
    let sent = false;
    let timer = 0;
    let since = 0;

    said.className = "fp-hint";
    said.setAttribute("role", "status");
    let last = content().toString();
    (form.querySelector(".fp-save") || form).appendChild(said);

    function content() {
      const body = new URLSearchParams();
      new FormData(form).forEach(function (value, name) {
        if (typeof value === "string") body.append(name, value);
      });
      Array.prototype.forEach.call(form.querySelectorAll("input[type=password]"), function (input) {
        body.delete(input.name);
      });
      return body;
    }

    function posted(wish, body) {
      body.set("entry", wish);
      return fetch(window.location.pathname + window.location.search, {
        method: "POST",
        body: body,
        credentials: "same-origin",
        redirect: "manual",
        keepalive: true,
      });
    }

    function save() {
      window.clearTimeout(timer);
      since = 0;
      if (!changed || sent || waits) return;
      const body = content();
      changed = false;
      // A field that merely loses the focus is no activity, and must not keep the session alive.
      if (body.toString() === last) return;
      last = body.toString();
      posted("save", body).then(function (answer) {
        if (answer.status === 204) {
          const now = new Date();
          const minutes = String(now.getMinutes()).padStart(2, "0");
          said.textContent = "草稿已于" + now.getHours() + ":" + minutes + "自动保存";
        } else if (answer.type === "opaqueredirect") {
          said.textContent = "登录已过期，写的内容已存为草稿，重新登录后可以恢复";
        } else if (answer.status === 409) {
          waits = true;
          answer.text().then(function (reason) { said.textContent = reason; });
        } else {
          said.textContent = "草稿没有存上，请尽快保存";
        }
      }, function () {
        changed = true;
        last = "";
        said.textContent = "网络不通，草稿还没有保存";
      });
    }

    function typed() {
      const now = Date.now();
      changed = true;
      since = since || now;
      window.clearTimeout(timer);
      timer = window.setTimeout(save, Math.max(0, Math.min(PAUSE, since + AT_LATEST - now)));
    }

    // 丢弃 without leaving what was typed since.
    function discard(event) {
      const link = event.target.closest("[data-fp-draft-discard]");
      if (!link) return;
      event.preventDefault();
      posted("discard", content()).then(function () {
        link.closest("[data-fp-draft-bar]").remove();
        waits = false;
        said.textContent = "草稿已丢弃";
        const first = form.querySelector("input:not([type=hidden]), select, textarea");
        if (first) first.focus();
        if (changed) typed();
      });
    }

    form.addEventListener("input", typed);
    form.addEventListener("change", typed);
    form.addEventListener("click", discard);
    // The form itself carries everything now; a later save would bring a spent draft back.
    form.addEventListener("submit", function (event) { sent = !event.defaultPrevented; });
    document.addEventListener("visibilitychange", function () {
      if (document.visibilityState === "hidden") save();
    });
    window.addEventListener("pagehide", save);
    window.addEventListener("pageshow", function () { sent = false; });
  }

  document.addEventListener("DOMContentLoaded", function () {
    Array.prototype.forEach.call(document.querySelectorAll("input[data-fp-draft]"), keep);
  });
})();
