/* Fills the places of a page: <div data-kantis-place="KEY"></div>. Everybody sees what is meant for everybody. Whoever has
   agreed (kantisPlaces.consent(true), or to the script that reports visits) and came by a link that names them sees what is
   meant for them, and only then is anything reported. Nothing is kept in the browser but what was put away in this tab. */
(function () {
  "use strict";
  var base = /*DATA*/"", TOKEN = "kantis-who", CONSENT = "kantis-consent", AWAY = "kantis-away-";
  var agreed = null, turn = 0, session, local;
  try { session = window.sessionStorage; local = window.localStorage; } catch (closed) { session = local = null; }

  function kept(store, name) { try { return store ? store.getItem(name) : null; } catch (closed) { return null; } }
  function keep(name, value) { try { if (session) { session.setItem(name, value); } } catch (closed) { return; } }

  function consents() {
    if (navigator.globalPrivacyControl) { return false; }
    return agreed === null ? Boolean(kept(local, CONSENT)) : agreed;
  }

  function who() {
    if (!consents()) { return ""; }
    var named = new URLSearchParams(location.search).get("kv");
    if (named) { keep(TOKEN, named.slice(0, 300)); }
    return named ? named.slice(0, 300) : kept(session, TOKEN) || "";
  }

  function report(shown, kind, link) {
    if (!consents()) { return; }
    fetch(base + "/w/seen", { method: "POST", credentials: "omit", keepalive: true, headers: { "Content-Type": "text/plain" },
      body: JSON.stringify({ evidence: shown.evidence, kind: kind, link: link || 0 }) }).catch(function () {});
  }

  function put(place, shown) {
    var away = AWAY + shown.content_id;
    if (kept(session, away)) { return; }
    place.innerHTML = shown.html;
    place.lang = shown.language;
    Array.prototype.slice.call(place.querySelectorAll("a[href]"), 0, 250).forEach(function (link, number) {
      link.addEventListener("click", function (event) {
        if (link.getAttribute("href") !== "#dismiss") { report(shown, "clicked", number); return; }
        event.preventDefault();
        keep(away, "1");
        place.textContent = "";
        report(shown, "dismissed");
      });
    });
    if (!("IntersectionObserver" in window)) { report(shown, "shown"); return; }
    var watch = new IntersectionObserver(function (seen) {
      if (!seen.some(function (one) { return one.isIntersecting; })) { return; }
      watch.disconnect();
      report(shown, "shown");
    });
    watch.observe(place);
  }

  function fill() {
    var mine = turn += 1;
    Array.prototype.forEach.call(document.querySelectorAll("[data-kantis-place]"), function (place) {
      var asked = new URLSearchParams(), token = who();
      asked.set("language", (place.getAttribute("data-language") || document.documentElement.lang || "").slice(0, 2));
      if (token) { asked.set("who", token); asked.set("consent", "1"); }
      fetch(base + "/w/places/" + encodeURIComponent(place.getAttribute("data-kantis-place")) + "?" + asked, { credentials: "omit" })
        .then(function (answer) { return answer.status === 200 ? answer.json() : null; })
        .then(function (shown) { if (mine !== turn) { return; } if (shown) { put(place, shown); } else { place.textContent = ""; } })
        .catch(function () {});
    });
  }

  window.kantisPlaces = { fill: fill, consent: function (yes) { agreed = Boolean(yes); fill(); } };
  if (document.readyState === "loading") { addEventListener("DOMContentLoaded", fill); } else { fill(); }
})();
