window.addEventListener("load", function () {
  window.ui = SwaggerUIBundle({
    url: document.body.dataset.description,
    dom_id: "#explorer",
    deepLinking: true,
    validatorUrl: null,
    persistAuthorization: false,
    tryItOutEnabled: true,
    displayRequestDuration: true,
    defaultModelsExpandDepth: 0,
    docExpansion: "none",
    filter: true,
    presets: [SwaggerUIBundle.presets.apis],
  });
});
