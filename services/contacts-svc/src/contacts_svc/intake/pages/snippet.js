(function () {
  "use strict";
  var data = /*DATA*/{};
  var here = document.currentScript;
  var place = document.createElement("div");
  place.lang = data.language;
  here.parentNode.insertBefore(place, here.nextSibling);

  function make(tag, attributes, text) {
    var element = document.createElement(tag);
    Object.keys(attributes || {}).forEach(function (name) { element.setAttribute(name, attributes[name]); });
    if (text) { element.textContent = text; }
    return element;
  }

  var prefix = "kantis-" + data.address.split("/").pop() + "-";
  var form = make("form", { novalidate: "" });
  form.appendChild(make("h2", {}, data.title));

  function field(name, type, complete, optional) {
    var label = data.words[name] + (optional ? " (" + data.words.optional + ")" : "");
    form.appendChild(make("label", { "for": prefix + name }, label));
    var attributes = { id: prefix + name, name: name, type: type, autocomplete: complete, maxlength: "200" };
    if (!optional) { attributes.required = ""; }
    form.appendChild(make("input", attributes));
  }

  field("full_name", "text", "name");
  field("preferred_name", "text", "nickname", true);
  field("email", "email", "email");
  if (data.phone) { field("phone", "tel", "tel", true); }
  var trap = make("input", { name: "website", type: "text", tabindex: "-1", autocomplete: "off", "aria-hidden": "true" });
  trap.style.cssText = "position:absolute;left:-10000px";
  form.appendChild(trap);
  var agree = make("label", { "for": prefix + "consent" });
  agree.appendChild(make("input", { id: prefix + "consent", name: "consent", type: "checkbox" }));
  agree.appendChild(document.createTextNode(" " + data.consent.text));
  form.appendChild(agree);
  form.appendChild(make("button", { type: "submit" }, data.words.send));
  var status = make("p", { role: "status", "aria-live": "polite" });
  form.appendChild(status);
  place.appendChild(form);

  form.addEventListener("submit", function (event) {
    event.preventDefault();
    var body = { consent: form.elements.consent.checked, consent_version: data.consent.version, language: data.language };
    ["full_name", "preferred_name", "email", "phone", "website"].forEach(function (name) {
      if (form.elements[name] && form.elements[name].value) { body[name] = form.elements[name].value; }
    });
    var button = form.querySelector("button");
    button.disabled = true;
    fetch(data.address, {
      method: "POST", credentials: "omit", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body)
    }).then(function (answer) {
      return answer.json().then(function (told) {
        if (!answer.ok) { throw new Error(told.detail); }
        place.textContent = "";
        place.appendChild(make("p", { role: "status" }, told.message));
      });
    }).catch(function (problem) {
      button.disabled = false;
      status.textContent = data.words.failed + " " + (problem.message || "");
    });
  });
})();
