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
  function tick(name, value, words) {
    var id = prefix + name + "-" + value, label = make("label", { "for": id });
    label.appendChild(make("input", { id: id, name: name, value: value, type: "checkbox" }));
    label.appendChild(document.createTextNode(" " + words));
    return label;
  }

  function group(title, name, choices) {
    var set = make("fieldset");
    set.appendChild(make("legend", {}, title));
    choices.forEach(function (one) { set.appendChild(tick(name, one.value, one.label)); });
    form.appendChild(set);
  }

  data.fields.forEach(function (one) {
    var name = "answers." + one.key, input;
    if (one.kind === "flag") { form.appendChild(tick(name, "yes", one.label)); return; }
    if (one.kind === "choices") { group(one.label, name, one.choices); return; }
    form.appendChild(make("label", { "for": prefix + name }, one.label + (one.required ? "" : " (" + data.words.optional + ")")));
    if (one.kind === "choice") {
      input = make("select", { id: prefix + name, name: name });
      input.appendChild(make("option", { value: "" }, "\u2013"));
      one.choices.forEach(function (choice) { input.appendChild(make("option", { value: choice.value }, choice.label)); });
    } else {
      input = make(one.kind === "long_text" ? "textarea" : "input", { id: prefix + name, name: name, maxlength: one.kind === "long_text" ? "2000" : "200" });
      if (one.kind === "date") { input.type = "date"; }
    }
    if (one.required) { input.required = true; }
    form.appendChild(input);
  });
  if (data.topics.length) { group(data.words.topics, "topics", data.topics); }
  form.appendChild(tick("consent", "yes", data.consent.text));
  data.boxes.forEach(function (box) { form.appendChild(tick("boxes." + box.key, "yes", box.text)); });
  form.appendChild(make("button", { type: "submit" }, data.words.send));
  var status = make("p", { role: "status", "aria-live": "polite" });
  form.appendChild(status);
  place.appendChild(form);

  function all(name) {
    return Array.prototype.filter.call(form.querySelectorAll("input"), function (one) { return one.name === name && one.checked; })
      .map(function (one) { return one.value; });
  }

  /*WORK*/
  function challenge(body) {
    if (!data.bits) { return Promise.resolve(); }
    return fetch(data.address + "/challenge", { credentials: "omit" }).then(function (answer) { return answer.json(); }).then(function (given) {
      return new Promise(function (go) {
        kantisWork(given.started, given.bits, function (found) { body.started = given.started; body.proof = found; go(); });
      });
    });
  }

  form.addEventListener("submit", function (event) {
    event.preventDefault();
    var body = { consent: all("consent").length > 0, consent_version: data.consent.version, language: data.language, answers: {}, topics: all("topics"), boxes: {}, box_versions: {} };
    ["full_name", "preferred_name", "email", "phone", "website"].forEach(function (name) {
      if (form.elements[name] && form.elements[name].value) { body[name] = form.elements[name].value; }
    });
    data.fields.forEach(function (one) {
      var name = "answers." + one.key;
      if (one.kind === "flag") { body.answers[one.key] = all(name).length > 0; }
      else if (one.kind === "choices") { body.answers[one.key] = all(name); }
      else if (form.elements[name].value) { body.answers[one.key] = form.elements[name].value; }
    });
    data.boxes.forEach(function (box) {
      body.boxes[box.key] = all("boxes." + box.key).length > 0;
      body.box_versions[box.key] = box.version;
    });
    if (window.kantis && window.kantis.visitor) { body.visitor = window.kantis.visitor(); }
    var button = form.querySelector("button");
    button.disabled = true;
    challenge(body).then(function () {
      return fetch(data.address, {
        method: "POST", credentials: "omit", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body)
      });
    }).then(function (answer) {
      return answer.json().then(function (told) {
        if (!answer.ok) { throw new Error(told.detail); }
        place.textContent = "";
        place.appendChild(make("p", { role: "status" }, told.message));
        if (told.download) { place.appendChild(make("a", { href: new URL(told.download, data.address).href }, data.words.download)); }
      });
    }).catch(function (problem) {
      button.disabled = false;
      status.textContent = data.words.failed + " " + (problem.message || "");
    });
  });
})();
