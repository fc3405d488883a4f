// What a page of the console does beside htmx: the keys of the desk, and the plots.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const alert = document.querySelector("[aria-invalid=true]");
  if (alert) alert.focus();
  if (matchMedia("(min-width: 60rem)").matches) document.getElementById("menu")?.setAttribute("open", "");
  draw();
});

// The desk: Alt and a digit choose the kind, so that both hands stay on the keys.
document.addEventListener("keydown", (event) => {
  if (!event.altKey || event.ctrlKey || event.metaKey) return;
  const choice = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (!choice) return;
  event.preventDefault();
  choice.checked = true;
  choice.dispatchEvent(new Event("change", { bubbles: true }));
});

function draw() {
  for (const element of document.querySelectorAll("[data-plot]")) {
    const style = getComputedStyle(document.documentElement);
    const ink = style.getPropertyValue("--pico-color").trim();
    const told = JSON.parse(element.dataset.plot);
    const plot = echarts.init(element, null, { renderer: "canvas" });
    plot.setOption({
      animation: false,
      textStyle: { color: ink },
      legend: { textStyle: { color: ink }, top: 0 },
      grid: { left: 8, right: 8, bottom: 8, top: 40, containLabel: true },
      xAxis: { type: "category", data: told.names, axisLabel: { color: ink } },
      yAxis: { type: "value", axisLabel: { color: ink }, minInterval: 1 },
      series: told.series.map((one) => ({ ...one, barMaxWidth: 48 })),
    });
    addEventListener("resize", () => plot.resize());
  }
}
