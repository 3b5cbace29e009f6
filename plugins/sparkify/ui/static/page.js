/* The page works without it. It adds the theme and the links of the Airflow page around it, tooltips and arrow keys. */
"use strict";

const airflow = window.parent === window ? null : window.parent;

/* Airflow's page decides on light or dark; outside of it the browser does. */
function followTheme() {
  const theirs = airflow.document.documentElement;
  const follow = () => {
    document.documentElement.dataset.theme = theirs.classList.contains("dark") ? "dark" : "light";
  };
  follow();
  document.addEventListener("DOMContentLoaded", themeReport);
  new MutationObserver(() => { follow(); themeReport(); }).observe(theirs, { attributes: true, attributeFilter: ["class"] });
}

/* The report is a document of its own, which knows the system's setting alone. */
function themeReport() {
  const report = document.querySelector("iframe.report");
  if (!report) return;
  const { theme } = document.documentElement.dataset;
  const address = new URL(report.src);
  const shown = address.searchParams.get("theme") || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  if (shown === theme) return;
  address.searchParams.set("theme", theme);
  report.src = address;
}

/* Airflow shows plugins in a sandboxed frame, which may not lead the whole window elsewhere, nor open another. A link of its own may. */
function openInAirflow(event) {
  const link = event.target.closest("a[href]");
  // Every button but the first fires auxclick: the right one opens a menu.
  if (!link || !airflow || event.button > 1) return;
  const inNewTab = event.ctrlKey || event.metaKey || event.shiftKey || event.button === 1;
  if (!("airflow" in link.dataset) && !inNewTab) return;
  event.preventDefault();
  const theirs = airflow.document.createElement("a");
  theirs.href = link.href;
  if (inNewTab) theirs.target = "_blank";
  airflow.document.body.append(theirs);
  theirs.click();
  theirs.remove();
}

function showTip(day) {
  const tip = document.getElementById("tip");
  tip.hidden = !day;
  if (!day) return;
  tip.textContent = day.getAttribute("aria-label");
  const at = day.getBoundingClientRect();
  const left = at.left + at.width / 2 - tip.offsetWidth / 2;
  const below = at.bottom + 6;
  const fits = below + tip.offsetHeight < window.innerHeight;
  tip.style.left = `${Math.max(8, Math.min(left, document.documentElement.clientWidth - tip.offsetWidth - 8))}px`;
  tip.style.top = `${fits ? below : at.top - tip.offsetHeight - 6}px`;
}

/* One date is in the order of the tab key, and arrows lead to the others: a thousand stops are no help to anybody. */
function arrowsInCalendar(calendar) {
  const days = [...calendar.querySelectorAll("a.day")].sort((a, b) => (dateOf(a) < dateOf(b) ? -1 : 1));
  if (!days.length) return;
  const places = new Map(days.map((day, place) => [day, place]));
  const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 };
  days.forEach((day) => { day.tabIndex = -1; });
  days[days.length - 1].tabIndex = 0;
  calendar.addEventListener("keydown", (event) => {
    const place = places.get(event.target);
    if (place === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    let next = { Home: 0, End: days.length - 1 }[event.key];
    if (steps[event.key]) next = Math.max(0, Math.min(days.length - 1, place + steps[event.key]));
    if (next === undefined) return;
    event.preventDefault();
    days[place].tabIndex = -1;
    days[next].tabIndex = 0;
    days[next].focus();
  });
}

const dateOf = (day) => day.dataset.date;

if (airflow) followTheme();

document.addEventListener("DOMContentLoaded", () => {
  document.addEventListener("click", openInAirflow);
  document.addEventListener("auxclick", openInAirflow);
  for (const [shown, gone] of [["mouseover", "mouseout"], ["focusin", "focusout"]]) {
    document.addEventListener(shown, (event) => showTip(event.target.closest("a.day")));
    document.addEventListener(gone, () => showTip(null));
  }
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") showTip(null); });
  document.querySelectorAll("[data-days]").forEach(arrowsInCalendar);
});
