(() => {
  const list = document.getElementById("lines");
  const form = document.getElementById("say");
  const text = document.getElementById("text");
  const state = document.getElementById("state");
  let last = Number(list.dataset.last);
  const show = (line) => {
    if (line.number <= last) return;
    last = line.number;
    const item = document.createElement("li");
    item.className = line.is_ours ? "ours" : "yours";
    const from = document.createElement("span");
    from.className = "from";
    from.textContent = (line.is_ours ? list.dataset.ours : list.dataset.yours) + ":";
    item.append(from, " ", line.text);
    list.append(item);
    item.scrollIntoView({ block: "nearest" });
  };
  const stream = new EventSource(list.dataset.stream + "?after=" + last);
  stream.onmessage = (event) => show(JSON.parse(event.data));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const said = text.value.trim();
    if (!said) return;
    const key = Date.now() + "-" + Math.random().toString(36).slice(2);
    state.textContent = "";
    try {
      const answer = await fetch(list.dataset.post, {
        method: "POST",
        headers: { "Content-Type": "application/json", "Idempotency-Key": key },
        body: JSON.stringify({ text: said }),
      });
      if (!answer.ok) throw new Error(String(answer.status));
      text.value = "";
    } catch {
      state.textContent = list.dataset.failed;
    }
    text.focus();
  });
})();
