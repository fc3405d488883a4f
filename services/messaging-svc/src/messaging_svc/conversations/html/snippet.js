(() => {
  const data = /*DATA*/{};
  const link = document.createElement("a");
  link.href = data.address;
  link.target = "_blank";
  link.rel = "noopener";
  link.textContent = data.words;
  link.style.cssText =
    "position:fixed;right:1rem;bottom:1rem;padding:.8rem 1.2rem;border-radius:2rem;background:#0b5cad;color:#fff;" +
    "font:600 1rem/1.2 system-ui,sans-serif;text-decoration:none;z-index:1000";
  const put = () => document.body.append(link);
  if (document.body) put();
  else document.addEventListener("DOMContentLoaded", put);
})();
