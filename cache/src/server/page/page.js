// What the page does beyond its links and its form: scrubbing, the keyboard, copying the address.
"use strict";
(() => {
  const viewer = document.querySelector("[data-viewer]");
  if (!viewer) return;
  const part = (id) => document.getElementById(id);
  const [image, place, scrub, number, address, copy, open] =
    ["frame", "place", "scrub", "number", "address", "copy", "open"].map(part);
  const movie = viewer.dataset.movie, frames = Number(viewer.dataset.frames), rate = Number(viewer.dataset.rate);
  let current = Number(number.value), shown = image.getAttribute("src"), loading = false, settle;

  // One picture at a time is asked for; while it comes, only the last wish counts.
  let wanted = shown;
  const load = () => {
    if (loading || wanted === shown) return;
    loading = true;
    const next = new Image(), source = wanted;
    const done = () => { loading = false; load(); };
    next.onload = () => { shown = source; image.src = source; image.alt = `Frame ${current}`; done(); };
    next.onerror = () => { shown = source; place.textContent = `Frame ${current} cannot be shown`; done(); };
    next.src = source;
  };

  const tell = (at) => {
    current = Math.min(Math.max(1, Math.round(at) || 1), frames);
    scrub.value = number.value = current;
    const seconds = rate > 0 ? `, ${((current - 1) / rate).toFixed(3)} s` : "";
    place.textContent = `Frame ${current} of ${frames}${seconds}`;
    scrub.setAttribute("aria-valuetext", `Frame ${current}`);
    const path = `${movie}/frame/${current}.png`;
    address.value = new URL(path, location.href).href;
    open.href = path;
    for (const link of viewer.querySelectorAll("[data-step]")) {
      link.href = `?frame=${Math.min(Math.max(1, current + Number(link.dataset.step)), frames)}`;
    }
  };

  const show = (at) => {
    tell(at);
    clearTimeout(settle);
    history.replaceState(null, "", `?frame=${current}`);
    wanted = `${movie}/frame/${current}.jpg`;
    load();
  };

  // While the bar moves, small pictures do; the whole one comes when it rests.
  const preview = (at) => {
    tell(at);
    wanted = `${movie}/frame/${current}.jpg?scale=4`;
    load();
    clearTimeout(settle);
    settle = setTimeout(() => show(current), 250);
  };

  scrub.addEventListener("input", () => preview(Number(scrub.value)));
  scrub.addEventListener("change", () => show(Number(scrub.value)));
  viewer.querySelector("form").addEventListener("submit", (event) => { event.preventDefault(); show(Number(number.value)); });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-step], [data-frame]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    show(link.dataset.frame ? Number(link.dataset.frame) : current + Number(link.dataset.step));
    if (link.dataset.frame) viewer.scrollIntoView({ block: "start" });
  });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input")) return;
    const far = event.shiftKey ? 10 : 1;
    const to = { ArrowLeft: current - far, ArrowRight: current + far, Home: 1, End: frames }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    show(to);
  });

  copy.hidden = false;
  copy.addEventListener("click", async () => {
    address.select();
    // The clipboard is not there on plain HTTP; then the selection is.
    try { await navigator.clipboard.writeText(address.value); copy.textContent = "Copied"; } catch { copy.textContent = "Selected"; }
    setTimeout(() => { copy.textContent = "Copy"; }, 1500);
  });
  viewer.querySelector(".scripted").hidden = false;
  tell(current);
})();
