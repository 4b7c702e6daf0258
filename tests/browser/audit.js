// What is wrong with the page as it is shown now: a list of sentences. Charts have to be drawn, texts inside
// and apart from each other, nothing wider than the window.
() => {
  const problems = [];
  const told = new Set();
  const say = text => { if (!told.has(text)) { told.add(text); problems.push(text); } };
  const short = text => text.trim().replace(/\s+/g, ' ').slice(0, 50);
  const isShown = element => element.checkVisibility({opacityProperty: true, visibilityProperty: true});

  function opacityOf(style, key) {
    const colour = style[key];
    if (!colour || colour === 'none' || colour === 'transparent') return 0;
    const found = /rgba\(.*,\s*([\d.]+)\)/.exec(colour);
    return (found ? Number(found[1]) : 1) * Number(style[key + '-opacity'] ?? style[key + 'Opacity'] ?? 1);
  }
  function isPainted(mark) {
    const style = getComputedStyle(mark);
    if (style.display === 'none' || style.visibility === 'hidden' || Number(style.opacity) === 0) return false;
    if (mark.tagName === 'image') return mark.getBoundingClientRect().width > 0;
    const box = mark.getBoundingClientRect();
    const filled = opacityOf(style, 'fill') > 0 && box.width > 0 && box.height > 0;
    const drawn = opacityOf(style, 'stroke') > 0 && parseFloat(style.strokeWidth) > 0 && (box.width > 0 || box.height > 0);
    return filled || drawn;
  }
  function overlapsBox(box, other) {
    return box.right > other.left && box.left < other.right && box.bottom > other.top && box.top < other.bottom;
  }

  // The four corners of a text as it is shown, turned ones too; lines of text stand closer than their boxes.
  function corners(text) {
    const box = text.getBBox(), matrix = text.getScreenCTM();
    const lines = Math.max(1, text.querySelectorAll('tspan.line').length);
    const slack = Math.min(0.18 * box.height / lines, box.height / 3);
    const [x0, x1, y0, y1] = [box.x + 0.5, box.x + box.width - 0.5, box.y + slack, box.y + box.height - slack];
    return [[x0, y0], [x1, y0], [x1, y1], [x0, y1]].map(([x, y]) => new DOMPoint(x, y).matrixTransform(matrix));
  }
  // Two convex shapes are apart when a line along a side of one of them separates them.
  function areApart(a, b) {
    for (const shape of [a, b]) {
      for (let at = 0; at < 2; at++) {
        const [dx, dy] = [shape[at + 1].x - shape[at].x, shape[at + 1].y - shape[at].y];
        const along = points => points.map(one => one.x * dx + one.y * dy);
        const [pa, pb] = [along(a), along(b)];
        const length = Math.hypot(dx, dy) || 1;
        if (Math.max(...pa) <= Math.min(...pb) + length || Math.max(...pb) <= Math.min(...pa) + length) return true;
      }
    }
    return false;
  }
  function checkTexts(name, place) {
    const frame = place.getBoundingClientRect();
    const texts = [...place.querySelectorAll('svg text')].filter(one => one.textContent.trim() && isShown(one)
      && !one.closest('.hoverlayer') && opacityOf(getComputedStyle(one), 'fill') > 0 && one.getBoundingClientRect().width > 0);
    const shapes = texts.map(corners);
    shapes.forEach((shape, at) => {
      // What stands beside marks is clipped with them where the view ends; it can be dragged.
      if (texts[at].closest('[clip-path]')) return;
      const out = shape.some(one => one.x < frame.left - 1.5 || one.x > frame.right + 1.5 || one.y < frame.top - 1.5 || one.y > frame.bottom + 1.5);
      if (out) say(`${name}: the label "${short(texts[at].textContent)}" is cut off`);
    });
    for (let a = 0; a < texts.length; a++) {
      for (let b = a + 1; b < texts.length; b++) {
        // Numbers inside the bars or cells of one trace belong to the marks, which stand apart or do not.
        if (texts[a].closest('.textpoint, .bartext') && texts[b].closest('.textpoint, .bartext')) continue;
        if (!areApart(shapes[a], shapes[b])) say(`${name}: the labels "${short(texts[a].textContent)}" and "${short(texts[b].textContent)}" overlap`);
      }
    }
    for (const one of texts) {
      if (/NaN|undefined|Infinity|null|\[object/.test(one.textContent)) say(`${name}: the label "${short(one.textContent)}" is no text for people`);
    }
  }
  function checkPlot(name, place) {
    const svg = place.querySelector('svg.main-svg');
    if (!svg) { say(`${name}: holds no drawing`); return; }
    const frame = place.getBoundingClientRect();
    if (svg.getBoundingClientRect().width > frame.width + 1.5) say(`${name}: the drawing is wider than its place`);
    const layers = '.mlayer path, .mlayer rect, .mlayer image, .pielayer path';
    const marks = [...place.querySelectorAll(layers)].filter(one => !one.closest('.shapelayer, .textpoint, .bartext'));
    const grounds = [...place.querySelectorAll('.draglayer rect.nsewdrag')].map(one => one.getBoundingClientRect());
    const seen = marks.filter(one => isPainted(one) && (!grounds.length || grounds.some(ground => overlapsBox(one.getBoundingClientRect(), {left: ground.left - 1, right: ground.right + 1, top: ground.top - 1, bottom: ground.bottom + 1}))));
    if (!seen.length) say(`${name}: is empty, of ${marks.length} marks none is seen`);
    for (const ground of grounds) {
      if (ground.width < 60 || ground.height < 25) say(`${name}: labels leave a plot of ${Math.round(ground.width)} x ${Math.round(ground.height)} pixels`);
    }
    checkTexts(name, place);
  }
  function checkCanvas(name, canvas) {
    if (!canvas.width || !canvas.height) { say(`${name}: its canvas has no area`); return; }
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', {willReadFrequently: true});
    copy.drawImage(canvas, 0, 0);
    const pixels = new Uint32Array(copy.getImageData(0, 0, canvas.width, canvas.height).data.buffer);
    const first = pixels[0];
    let others = 0;
    for (const one of pixels) if (one !== first) others++;
    if (others < pixels.length / 500) say(`${name}: a canvas of one colour`);
  }

  for (const figure of document.querySelectorAll('figure.chart')) {
    if (!isShown(figure)) continue;
    const name = `chart ${figure.id}`;
    if (figure.dataset.drawn !== 'yes') { say(`${name}: not drawn (${figure.dataset.drawn ?? 'not begun'})`); continue; }
    checkPlot(name, figure.querySelector('.plot'));
    const caption = figure.querySelector('figcaption');
    if (!caption || caption.textContent.trim().length < 20) say(`${name}: has no words`);
  }
  for (const figure of document.querySelectorAll('figure.prices')) {
    if (!isShown(figure)) continue;
    const name = `prices ${figure.id}`;
    if (figure.dataset.drawn !== 'yes') say(`${name}: not drawn (${figure.dataset.drawn ?? 'not begun'})`);
    const canvases = [...figure.querySelectorAll('canvas')].filter(isShown);
    const svgs = [...figure.querySelectorAll('svg')].filter(isShown);
    if (!canvases.length && !svgs.length) say(`${name}: holds no drawing`);
    if (canvases.length && !canvases.some(one => { const before = problems.length; checkCanvas(name, one); const bad = problems.length > before; if (bad) { told.delete(problems.pop()); } return !bad; })) say(`${name}: every canvas is of one colour`);
    checkTexts(name, figure);
  }

  // Nothing is wider than the window but what scrolls by itself.
  const wide = document.documentElement.scrollWidth;
  if (wide > innerWidth + 1) say(`the page is ${wide} pixels wide in a window of ${innerWidth}`);
  const scrolls = element => { const how = getComputedStyle(element).overflowX; return how === 'auto' || how === 'scroll' || how === 'hidden' || how === 'clip'; };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const parent = node.parentElement;
    if (!node.data.trim() || parent.closest('script, style, svg, noscript') || !isShown(parent)) continue;
    if (/\bNaN\b|\[object|\bInfinity\b|^\W*(undefined|null)\W*$/.test(node.data)) say(`the text "${short(node.data)}" is no text for people`);
    let holder = parent;
    while (holder && holder !== document.body && !scrolls(holder)) holder = holder.parentElement;
    if (holder && holder !== document.body) continue;
    range.selectNodeContents(node);
    const box = range.getBoundingClientRect();
    if (box.width && box.right > innerWidth + 1.5 && box.left >= 0) say(`the text "${short(node.data)}" leaves the window`);
  }

  // What a screen reader and a keyboard need.
  if (!document.documentElement.lang) say('the page states no language');
  if (document.querySelectorAll('h1').length !== 1) say(`the page has ${document.querySelectorAll('h1').length} main headings`);
  let level = 0;
  for (const heading of document.querySelectorAll('h1, h2, h3, h4, h5, h6')) {
    const own = Number(heading.tagName[1]);
    if (own > level + 1) say(`the heading "${short(heading.textContent)}" skips a level`);
    level = own;
  }
  const ids = new Set();
  for (const element of document.querySelectorAll('[id]')) {
    if (element.closest('svg')) continue;
    if (ids.has(element.id)) say(`two elements are called ${element.id}`);
    ids.add(element.id);
  }
  for (const one of document.querySelectorAll('input:not([type=hidden]), select, textarea')) {
    if (!one.labels?.length && !one.getAttribute('aria-label')) say(`a field (${one.name || one.type}) has no label`);
  }
  for (const one of document.querySelectorAll('img')) if (!one.hasAttribute('alt')) say(`a picture (${one.src.slice(-40)}) has no words`);
  for (const one of document.querySelectorAll('button, a[href]')) {
    if (isShown(one) && !one.textContent.trim() && !one.getAttribute('aria-label') && !one.closest('.modebar')) say('a button or link has no name');
  }
  for (const one of document.querySelectorAll('[aria-labelledby], [aria-describedby]')) {
    for (const id of `${one.getAttribute('aria-labelledby') ?? ''} ${one.getAttribute('aria-describedby') ?? ''}`.trim().split(/\s+/)) {
      if (!document.getElementById(id)) say(`a description refers to ${id}, which is not there`);
    }
  }
  return problems;
}
