(function () {
  "use strict";
  var form = document.querySelector("form[data-bits]"), proof = form.elements.proof, button = form.querySelector("button");
  button.disabled = true;
  kantisWork(form.elements.started.value, Number(form.dataset.bits), function (found) {
    proof.value = found;
    button.disabled = false;
  });
})();
