/* Reports visits, with consent only: kantis.consent("2026-01") begins, kantis.refuse() ends and forgets.
   Nothing is kept in the browser and nothing is sent before the visitor has agreed. */
(function () {
  "use strict";
  var data = /*DATA*/{};
  var VISITOR = "kantis-visitor", CONSENT = "kantis-consent";
  var waiting = [], timer = null, store;
  try { store = window.localStorage; } catch (closed) { store = null; }
  if (!store || navigator.webdriver || navigator.globalPrivacyControl) {
    window.kantis = { consent: function () {}, refuse: function () {}, seen: function () {}, visitor: function () { return undefined; } };
    return;
  }

  function id() {
    var bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 15) | 64;
    bytes[8] = (bytes[8] & 63) | 128;
    var text = Array.prototype.map.call(bytes, function (byte) { return ("0" + byte.toString(16)).slice(-2); }).join("");
    return text.slice(0, 8) + "-" + text.slice(8, 12) + "-" + text.slice(12, 16) + "-" + text.slice(16, 20) + "-" + text.slice(20);
  }

  function send(body) {
    body.site = data.site;
    body.visitor = store.getItem(VISITOR);
    return fetch(data.address, { method: "POST", credentials: "omit", keepalive: true, headers: { "Content-Type": "text/plain" }, body: JSON.stringify(body) })
      .then(function (answer) { if (!answer.ok) { throw new Error(String(answer.status)); } return answer.json(); });
  }

  function flush() {
    timer = null;
    if (!waiting.length || !store.getItem(CONSENT)) { return; }
    var batch = waiting.splice(0, 50), now = Date.now();
    var body = { consent: true, consent_version: store.getItem(CONSENT), views: batch.map(function (one) {
      return { id: one.id, path: one.path, title: one.title, came_from: one.came_from, campaign: one.campaign, ago_ms: Math.max(0, now - one.at) };
    }) };
    var token = new URLSearchParams(location.search).get("kv");
    if (token) { body.token = token.slice(0, 300); }
    send(body).then(function (told) { if (store.getItem(CONSENT)) { store.setItem(VISITOR, told.visitor); } })
      .catch(function () { waiting = batch.concat(waiting).slice(0, 200); });
  }

  function seen() {
    if (!store.getItem(CONSENT)) { return; }
    var from = "";
    try { from = document.referrer ? new URL(document.referrer).host : ""; } catch (odd) { from = ""; }
    waiting.push({ id: id(), path: location.pathname.slice(0, 2000), title: document.title.slice(0, 300), came_from: from.slice(0, 300),
      campaign: (new URLSearchParams(location.search).get("utm_campaign") || "").slice(0, 100), at: Date.now() });
    if (!timer) { timer = setTimeout(flush, 1000); }
  }

  window.kantis = {
    consent: function (version) {
      store.setItem(CONSENT, String(version).slice(0, 40));
      if (!store.getItem(VISITOR)) { store.setItem(VISITOR, id()); }
      seen();
    },
    refuse: function () {
      if (store.getItem(VISITOR)) { send({ consent: false }).catch(function () {}); }
      waiting = [];
      store.removeItem(CONSENT);
      store.removeItem(VISITOR);
    },
    seen: seen,
    visitor: function () { return store.getItem(CONSENT) ? store.getItem(VISITOR) : undefined; }
  };
  addEventListener("pagehide", flush);
  seen();
})();
