// Ticks of a list that survive paging and sorting. Without scripts the ticks of one page are sent.
// ES2019: offices run browsers as old as Chrome 86.
(function () {
  "use strict";

  const PREFIX = "fp-ticks:";
  const MOST = 5000; // as many as the server takes by their keys

  function each(selector, act, root) {
    Array.prototype.forEach.call((root || document).querySelectorAll(selector), act);
  }

  // What the browser remembers of this list under these conditions; other conditions begin anew.
  function remembered(name) {
    let kept = {};
    try {
      kept = JSON.parse(window.sessionStorage.getItem(PREFIX + name.split("?")[0])) || {};
    } catch (problem) {
      kept = {};
    }
    return kept.name === name ? kept : { name: name, keys: [], all: false };
  }

  function remember(kept) {
    try {
      window.sessionStorage.setItem(PREFIX + kept.name.split("?")[0], JSON.stringify(kept));
    } catch (problem) {
      // A full or forbidden store: the ticks of this page still count.
    }
  }

  function start(bar) {
    const kept = remembered(bar.dataset.fpTicks);
    const keys = new Set(kept.keys);
    const ticks = Array.from(document.querySelectorAll('[data-fp-tick][form="' + bar.id + '"]'));
    const whole = document.querySelector("[data-fp-tick-page]");
    const all = bar.querySelector("[data-fp-all]");
    const none = bar.querySelector("[data-fp-none]");
    const said = bar.querySelector("[data-fp-said]");
    const elsewhere = bar.querySelector("[data-fp-elsewhere]");

    function show() {
      const here = new Set(ticks.map(function (tick) { return tick.value; }));
      const isAll = Boolean(all && all.checked);
      ticks.forEach(function (tick) {
        tick.checked = isAll || keys.has(tick.value);
        tick.disabled = isAll;
        tick.closest("tr").classList.toggle("is-picked", tick.checked);
      });
      const ticked = ticks.filter(function (tick) { return tick.checked; }).length;
      whole.checked = ticked > 0 && ticked === ticks.length;
      whole.indeterminate = ticked > 0 && ticked < ticks.length;
      whole.disabled = isAll;
      elsewhere.value = Array.from(keys).filter(function (key) { return !here.has(key); }).join(",");
      bar.hidden = keys.size === 0 && !isAll;
      said.replaceChildren("已选", strong(isAll ? "全部" : keys.size.toLocaleString("en")), bar.dataset.fpUnit);
      kept.keys = Array.from(keys);
      kept.all = isAll;
      remember(kept);
    }

    function strong(text) {
      const element = document.createElement("strong");
      element.textContent = text;
      return element;
    }

    function set(tick, on) {
      if (!on) keys.delete(tick.value);
      else if (keys.size < MOST) keys.add(tick.value);
    }

    ticks.forEach(function (tick) {
      tick.addEventListener("change", function () { set(tick, tick.checked); show(); });
    });
    whole.addEventListener("change", function () {
      ticks.forEach(function (tick) { set(tick, whole.checked); });
      show();
    });
    none.addEventListener("click", function () {
      keys.clear();
      if (all) all.checked = false;
      show();
    });
    if (all) {
      all.checked = kept.all;
      all.addEventListener("change", show);
    }
    whole.hidden = none.hidden = false;
    show();
  }

  // A result, whichever way one leaves it: what was ticked in this list has been dealt with.
  function forget(element) {
    try {
      window.sessionStorage.removeItem(PREFIX + element.dataset.fpForget);
    } catch (problem) {
      // Nothing was kept.
    }
  }

  document.addEventListener("DOMContentLoaded", function () {
    each("[data-fp-forget]", forget);
    each("form[data-fp-ticks]", start);
  });
})();
