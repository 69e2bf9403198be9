// The flow: its figures are asked for anew every five seconds while the page is seen, and only what has changed is put
// in; what the pointer or the focus is on stays. The charts are drawn anew by uPlot, with the values under the pointer.
const live = document.querySelector("[data-flow]");
const on = live?.textContent;

async function ask() {
  if (document.hidden) return;
  try {
    const answer = await fetch(live.dataset.flow);
    if (!answer.ok || answer.redirected) throw new Error(answer.status);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of fresh.querySelectorAll("[id^=now-]")) {
      const old = document.getElementById(part.id);
      if (old && !old.isEqualNode(part) && !old.matches(":hover, :focus-within")) old.replaceWith(document.adoptNode(part));
    }
    live.classList.remove("off");
    live.textContent = on;
  } catch {
    live.classList.add("off");
    live.textContent = live.dataset.off;
  }
}

if (live) {
  live.hidden = false;
  setInterval(ask, 5000);
}

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function draw(place) {
  const { time, times, lines } = JSON.parse(place.dataset.points);
  const axis = { stroke: color("--soft"), grid: { stroke: color("--line"), width: 1 }, ticks: { show: false } };
  const series = lines.map(([label], at) => ({ label, stroke: color(`--c${at + 1}`), width: 2, dash: at ? [6, 3] : [] }));
  const chart = new uPlot({
    width: place.clientWidth, height: 160,
    scales: { x: { time: false }, y: { range: (_, low, high) => [0, high || 1] } },
    axes: [{ ...axis, size: 28, values: (_, marks) => marks.map((mark) => times[mark] ?? "") }, { ...axis, size: 44 }],
    series: [{ label: time, value: (_, at) => times[at] ?? "" }, ...series],
    cursor: { drag: { x: false, y: false } },
  }, [times.map((_, at) => at), ...lines.map(([, points]) => points)]);
  place.replaceChildren(chart.root);
  place.classList.add("drawn");
  new ResizeObserver(() => chart.setSize({ width: place.clientWidth, height: 160 })).observe(place);
}

if (window.uPlot) document.querySelectorAll("[data-points]").forEach(draw);
