"use strict";
// The list of movies: search, order, pages; and the picture under the pointer. Movies come ready from the page itself or
// from report/NNNN.js, which calls report.page(). Nothing is fetched but by script elements: it works from a folder too.
const report = (() => {
  const find = (id) => document.getElementById(id);
  const facts = JSON.parse(find("facts").textContent);
  const list = find("movies"), tools = find("tools"), search = find("search"), order = find("order");
  const number = find("page"), previous = find("previous"), next = find("next"), place = find("place"), warning = find("warning");
  const pages = new Map([[1, [...list.children].map((child) => child.outerHTML)]]);
  const loading = new Map();
  let index = null, shown = [], at = 1, turn = 0;

  // One movie of the index: [folder, name, static, moving, undetermined, reason of its failure or 0, message or nothing];
  // shares in tenths of a percent. Those after facts.movies have no result.
  const title = (entry) => index.folders[entry[0]] + entry[1];
  const orders = {
    name: null,
    still: (a, b) => b[2] - a[2],
    restless: (a, b) => (a[2] < 0) - (b[2] < 0) || a[2] - b[2],
    moving: (a, b) => b[3] - a[3],
    undetermined: (a, b) => b[4] - a[4],
    failed: (a, b) => (b[5] ? 1 : 0) - (a[5] ? 1 : 0),
  };

  const load = (file) => {
    if (!loading.has(file)) {
      loading.set(file, new Promise((resolve, reject) => {
        const script = document.createElement("script");
        script.onload = resolve;
        script.onerror = () => { loading.delete(file); reject(new Error(file)); };
        script.src = file;
        document.head.append(script);
      }));
    }
    return loading.get(file);
  };
  const page_of = (movie) => Math.floor(movie / facts.perPage) + 1;
  const bring = (page) => pages.has(page) ? null : load(`report/${String(page).padStart(4, "0")}.js`);

  const element = (name, text) => Object.assign(document.createElement(name), {textContent: text});
  const without_result = (entry) => {
    const article = element("article", ""), line = element("p", "");
    line.className = "facts";
    line.append(element("strong", `failed: ${entry[5]}`), ` · ${entry[6]}`);
    article.append(element("h3", title(entry)), line);
    return article;
  };
  const with_result = (movie) => {
    const template = document.createElement("template");
    template.innerHTML = pages.get(page_of(movie))[movie % facts.perPage];
    return template.content;
  };

  const show = async () => {
    const mine = ++turn, last = Math.max(1, Math.ceil(shown.length / facts.perPage));
    at = Math.min(Math.max(1, at || 1), last);
    const start = (at - 1) * facts.perPage, wanted = shown.slice(start, start + facts.perPage);
    try {
      await Promise.all([...new Set(wanted.filter((movie) => movie < facts.movies).map(page_of))].map(bring));
    } catch (error) {
      if (mine === turn) warn(`${error.message} is missing: copy the folder report beside this page, from where the results are.`);
      return;
    }
    if (mine !== turn) return;
    warn("");
    list.replaceChildren(...wanted.map((movie) => movie < facts.movies ? with_result(movie) : without_result(index.movies[movie])));
    if (wanted.length === 0) list.append(element("p", "No movie is named so."));
    number.value = at;
    number.max = last;
    [previous.disabled, next.disabled] = [at <= 1, at >= last];
    const of = (count) => count.toLocaleString("en");
    const all = shown.length < index.movies.length ? `, of all ${of(index.movies.length)}` : "";
    place.textContent = wanted.length === 0 ? "0 movies" : `${of(start + 1)}–${of(start + wanted.length)} of ${of(shown.length)}${all}`;
    const state = new URLSearchParams({q: search.value, by: order.value, page: at});
    const changed = search.value || order.value !== "name" || at > 1;
    history.replaceState(null, "", changed ? `#${state}` : location.pathname + location.search);
    hide();
  };
  const choose = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    shown = [];
    index.movies.forEach((entry, movie) => {
      const text = title(entry).toLowerCase();
      if (words.every((word) => text.includes(word))) shown.push(movie);
    });
    // A stable sort: within one value the order of the names stands.
    const compare = orders[order.value];
    if (compare) shown.sort((a, b) => compare(index.movies[a], index.movies[b]));
  };
  const warn = (text) => { warning.hidden = !text; warning.textContent = text; };
  const go = (page) => { at = page; show().then(() => tools.scrollIntoView()); };

  const begin = () => {
    const state = new URLSearchParams(location.hash.slice(1));
    search.value = state.get("q") || "";
    if (state.get("by") in orders) order.value = state.get("by");
    at = Number(state.get("page")) || 1;
    tools.hidden = false;
    let timer = 0;
    search.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(() => { choose(); at = 1; show(); }, 150); });
    order.addEventListener("change", () => { choose(); go(1); });
    number.addEventListener("change", () => go(Number(number.value)));
    previous.addEventListener("click", () => go(at - 1));
    next.addEventListener("click", () => go(at + 1));
    choose();
    show();
  };

  // The picture under the pointer, or at the place the arrow keys lead to.
  const lens = find("lens"), cursor = find("cursor"), picture = lens.firstElementChild, caption = lens.lastElementChild;
  const sheets = new Map();
  const sheet = (address) => {
    if (!sheets.has(address)) {
      sheets.set(address, new Promise((resolve) => {
        const image = new Image();
        image.onload = () => resolve(image);
        image.onerror = () => resolve(null);
        image.src = address.startsWith("data:") ? address : address.split("/").map(encodeURIComponent).join("/");
      }));
    }
    return sheets.get(address);
  };
  let focus = 0, wish = 0;
  const hide = () => { wish++; lens.hidden = cursor.hidden = true; };
  const look = async (svg, share) => {
    const mine = ++wish, article = svg.closest("article"), {frames, tiles, columns, pictures} = article.dataset;
    focus = Math.min(Math.max(share, 0), 0.9999);
    const frame = Math.floor(focus * frames) + 1, box = svg.getBoundingClientRect(), count = Number(tiles) || 0;
    const hit = [...svg.querySelectorAll("g")].filter((g) => {
      const r = g.querySelector("rect"), x = focus * 960;
      return x >= r.x.baseVal.value && x < r.x.baseVal.value + r.width.baseVal.value;
    }).map((g) => g.querySelector("title").textContent);
    const image = pictures ? await sheet(pictures) : null;
    if (mine !== wish) return;
    picture.hidden = !image;
    let what = "no picture of this movie";
    if (image) {
      const tile = Math.floor(focus * count), wide = image.naturalWidth / columns, high = image.naturalHeight / Math.ceil(count / columns);
      picture.style.cssText = `width:${wide}px;height:${high}px;background-image:url("${image.src}");background-position:-${tile % columns * wide}px -${Math.floor(tile / columns) * high}px`;
      what = `picture of about frame ${Math.round((tile + 0.5) * frames / count).toLocaleString("en")}`;
    } else if (pictures) what = "its picture is not beside this page";
    caption.replaceChildren(element("b", `frame ${frame.toLocaleString("en")}`), ...hit.flatMap((text) => [element("br", ""), text]), element("br", ""), what);
    lens.hidden = cursor.hidden = false;
    const x = box.left + focus * box.width, width = lens.offsetWidth, height = lens.offsetHeight;
    const above = box.top - height - 6;
    lens.style.left = `${window.scrollX + Math.min(Math.max(4, x - width / 2), document.documentElement.clientWidth - width - 4)}px`;
    lens.style.top = `${window.scrollY + (above > 0 ? above : box.bottom + 6)}px`;
    cursor.style.cssText = `left:${window.scrollX + x}px;top:${window.scrollY + box.top}px;height:${box.height}px`;
  };
  list.addEventListener("pointermove", (event) => {
    const svg = event.target.closest("svg");
    if (!svg) return hide();
    const box = svg.getBoundingClientRect();
    look(svg, (event.clientX - box.left) / box.width);
  });
  list.addEventListener("pointerleave", hide);
  list.addEventListener("focusin", (event) => { if (event.target.matches("svg:focus-visible")) look(event.target, 0.5 / (event.target.closest("article").dataset.tiles || 20)); });
  list.addEventListener("focusout", hide);
  list.addEventListener("keydown", (event) => {
    const step = {ArrowLeft: -1, ArrowRight: 1}[event.key], svg = event.target.closest("svg");
    if (!step || !svg) return;
    event.preventDefault();
    look(svg, focus + step / (svg.closest("article").dataset.tiles || 20));
  });

  // Every movie may be in the page itself; else the list of all is beside it.
  addEventListener("DOMContentLoaded", () => {
    for (const note of document.querySelectorAll(".scriptless")) note.hidden = true;
    if (index) return begin();
    load("report/index.js").then(begin, () => warn(
      `This page by itself shows ${facts.here} of ${facts.movies.toLocaleString("en")} movies. The others are in the folder report, which is not beside it: copy it from where the results are.`));
  });
  return {page: (page, movies) => pages.set(page, movies), index: (all) => { index = all; }};
})();
