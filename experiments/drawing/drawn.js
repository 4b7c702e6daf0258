'use strict';
// The page of one head on one symbol: what is shown is chosen in the legend, and a bar tells what it was.
(() => {
  const NARROW_BARS = 90;
  const MANY_MARKS = 500;
  const PAPER_HEIGHT = 640;
  // Characters of a line that a narrow screen can show.
  const LINE = 46;
  const GLYPHS = {'1': 'M6 1.5 L11 10.5 L1 10.5 Z', '-1': 'M6 10.5 L11 1.5 L1 1.5 Z', '0': 'M6 .5 L11.5 6 L6 11.5 L.5 6 Z'};
  const [chart] = page.charts;
  chart.load();
  chart.setsItsHeight = true;
  chart.options = {scrollZoom: !page.narrow.matches, modeBarButtonsToRemove: ['select2d', 'lasso2d', 'toImage']};
  const {figure, place} = chart;
  const bars = Object.fromEntries(Object.entries(figure.bars).map(([name, packed]) => [name, page.array(packed)]));
  const count = bars.x.length;
  const step = count > 1 ? bars.x[1] - bars.x[0] : 3.6e6;
  const byId = id => document.getElementById(id);

  // Bars and zones are paths: one element for all of a kind.
  const moments = new Map();
  function moment(x) {
    if (!moments.has(x)) moments.set(x, new Date(x).toISOString().slice(0, 23).replace('T', '_'));
    return moments.get(x);
  }
  function pathOf(xs, ys) {
    let text = '', pen = 'M';
    for (let at = 0; at < xs.length; at++) {
      if (xs[at] === null) { pen = 'M'; continue; }
      text += `${pen}${moment(xs[at])},${ys[at]}`;
      pen = 'L';
    }
    return text;
  }
  const nothing = `M${moment(bars.x[0])},0Z`;
  function candles(isRise, line, fill) {
    let text = '';
    for (let at = 0; at < count; at++) {
      const open = bars.open[at], close = bars.close[at];
      if (Number.isNaN(open) || (close >= open) !== isRise) continue;
      const low = Math.min(open, close), high = Math.max(open, close);
      const middle = moment(bars.x[at]), left = moment(Math.round(bars.x[at] - 0.36 * step)), right = moment(Math.round(bars.x[at] + 0.36 * step));
      text += `M${middle},${bars.high[at]}L${middle},${high}M${left},${high}L${right},${high}L${right},${low}L${left},${low}ZM${middle},${low}L${middle},${bars.low[at]}`;
    }
    return {path: text || nothing, line: {color: line, width: 1, dash: 'solid'}, fillcolor: fill, visible: true};
  }
  const shapes = figure.paths.map(one => ({...one, path: pathOf(one.x, one.y)})).concat(candles(true, '@up', '@card'), candles(false, '@down', '@down'));
  figure.layout.shapes = shapes.map(({x, y, visible, ...one}) => ({type: 'path', xref: 'x', yref: 'y', layer: one.yref ? 'below' : 'between', fillcolor: 'rgba(0,0,0,0)', fillrule: 'nonzero', ...one}));

  const folded = line => line.match(new RegExp(`.{1,${LINE}}(?: |$)|\\S{${LINE},}`, 'g'))?.map(one => one.trim()).join('\n') ?? '';
  const escaped = text => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/\n/g, '<br>');
  const stories = figure.texts.map(text => escaped(text.split('\n').map(folded).join('\n')));
  for (const trace of figure.data) if (trace.texts) trace.hovertext = trace.texts.map(at => stories[at]);

  function priceRange(left, right) {
    let low = Infinity, high = -Infinity;
    for (let at = 0; at < count; at++) {
      if (bars.x[at] < left || bars.x[at] > right || Number.isNaN(bars.open[at])) continue;
      low = Math.min(low, bars.low[at]);
      high = Math.max(high, bars.high[at]);
    }
    if (low > high) return null;
    const room = 0.09 * (high - low) || 0.01 * Math.abs(high) || 1;
    return [low - room, high + room];
  }
  const milliseconds = value => typeof value === 'number' ? value : Date.parse(value.replace(' ', 'T') + 'Z');
  const shownRange = () => (place.layout || figure.layout).xaxis.range.map(milliseconds);

  function show(entry, shown) {
    entry.shown = shown;
    for (const at of entry.traces) figure.data[at].visible = shown;
    // Plotly leaves a shape of this layer on the page when it turns invisible.
    for (const at of entry.paths) Object.assign(figure.layout.shapes[at], {path: shown ? shapes[at].path : nothing, opacity: shown ? 1 : 0});
  }
  function draw() {
    if (!window.Plotly) return;
    for (const axis of ['xaxis', 'yaxis']) if (place.layout) figure.layout[axis].range = place.layout[axis].range;
    chart.draw();
  }

  function glyph(shape, hue) {
    const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    svg.setAttribute('viewBox', '0 0 12 12');
    svg.setAttribute('aria-hidden', 'true');
    const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
    path.setAttribute('d', GLYPHS[shape] || 'M1 2 H11 V10 H1 Z');
    path.style.fill = `var(--${hue.slice(1)})`;
    svg.append(path);
    return svg;
  }
  function button(label, onClick) {
    const one = document.createElement('button');
    one.type = 'button';
    one.append(label);
    one.addEventListener('click', onClick);
    return one;
  }
  function build() {
    const legend = byId('legend');
    let last = null, row = null;
    for (const entry of figure.legend) {
      if (entry.detection !== last) {
        row = document.createElement('div');
        const title = document.createElement('h2');
        title.textContent = last = entry.detection;
        row.append(title);
        legend.append(row);
      }
      entry.button = button(entry.label, () => {
        show(entry, !entry.shown);
        entry.button.setAttribute('aria-pressed', entry.shown);
        draw();
      });
      entry.button.prepend(...(entry.glyphs.length ? entry.glyphs : ['square']).map(one => glyph(one, entry.hue)));
      if (entry.count) {
        const amount = document.createElement('b');
        amount.textContent = entry.count;
        entry.button.append(amount);
      }
      entry.button.setAttribute('aria-pressed', entry.shown);
      row.append(entry.button);
    }
    if (!figure.legend.length) byId('shown').hidden = true;
    for (const [text, shown] of [['all', true], ['none', false]]) {
      legend.append(button(text, () => {
        for (const entry of figure.legend) { show(entry, shown); entry.button.setAttribute('aria-pressed', shown); }
        draw();
      }));
    }
  }

  function list() {
    const table = byId('listed');
    for (const at of table.rows.length ? [] : figure.listed) {
      const lines = figure.texts[at].split('\n');
      const row = table.insertRow();
      const name = document.createElement('th');
      name.scope = 'row';
      name.textContent = lines[0];
      row.append(name);
      row.insertCell().textContent = lines.slice(1).join(' · ');
    }
  }
  byId('all').addEventListener('toggle', list);

  // What a bar was: prices, volume, kill zone, vote and reasons, in the corner that is not pointed at.
  const box = document.querySelector('.told'), cursor = document.querySelector('.cursor');
  let told = -1;
  const amount = value => Math.abs(value) >= 1e6 ? value.toLocaleString('en-US', {maximumFractionDigits: 0})
    : Number(value.toPrecision(6)).toLocaleString('en-US', {maximumFractionDigits: 12});
  const clock = x => new Date(x).toISOString().slice(0, step % 6e4 ? 19 : 16).replace('T', ' ');
  function wordsOf(at) {
    const x = bars.x[at];
    const zone = figure.bands.find(([, left, right]) => left < x && x < right);
    const prices = Number.isNaN(bars.open[at]) ? ['missing bar']
      : [['open', 'high'], ['low', 'close'], ['volume']].map(names => names.map(name => `${name} ${amount(bars[name][at])}`).join(', '));
    return [clock(x), ...prices, ...(zone ? [zone[0]] : []), figure.texts[figure.said[at]]].join('\n');
  }
  const area = () => place.querySelector('.nsewdrag')?.getBoundingClientRect();
  function tell(at) {
    told = at;
    const ground = area();
    if (at < 0 || !ground) { box.textContent = ''; cursor.hidden = true; return; }
    const [left, right] = shownRange();
    const share = (bars.x[at] - left) / (right - left);
    box.textContent = wordsOf(at);
    box.classList.toggle('right', share < 0.5);
    cursor.hidden = share < 0 || share > 1;
    cursor.style.left = `${ground.left - place.getBoundingClientRect().left + share * ground.width}px`;
  }
  function barAt(x) {
    let low = 0, high = count - 1;
    while (low < high) { const middle = (low + high) >> 1; if (bars.x[middle] < x) low = middle + 1; else high = middle; }
    return low > 0 && x - bars.x[low - 1] < bars.x[low] - x ? low - 1 : low;
  }
  function point(event) {
    const ground = area();
    if (!ground || event.buttons > 1) return;
    const share = (event.clientX - ground.left) / ground.width;
    const [left, right] = shownRange();
    const at = share < 0 || share > 1 ? -1 : barAt(left + share * (right - left));
    if (at !== told) tell(at);
  }
  const plotted = document.querySelector('.plotted');
  plotted.addEventListener('pointermove', point, true);
  plotted.addEventListener('pointerdown', point, true);
  plotted.addEventListener('pointerleave', event => { if (event.pointerType === 'mouse') tell(-1); });
  place.addEventListener('blur', () => tell(-1));
  const MOVES = {ArrowLeft: -1, ArrowRight: 1, PageUp: -24, PageDown: 24, Home: -Infinity, End: Infinity};
  place.addEventListener('keydown', event => {
    if (event.key === 'Escape') { tell(-1); return; }
    if (!(event.key in MOVES)) return;
    event.preventDefault();
    const [left, right] = shownRange();
    const from = told < 0 ? barAt(right) + 1 : told;
    const at = Math.max(0, Math.min(count - 1, from + MOVES[event.key]));
    const width = right - left;
    if (bars.x[at] < left || bars.x[at] > right) {
      const begin = bars.x[at] < left ? bars.x[at] - 0.1 * width : bars.x[at] - 0.9 * width;
      Plotly.relayout(place, {'xaxis.range': [begin, begin + width]}).then(() => tell(at));
    } else {
      tell(at);
    }
  });

  if (page.narrow.matches) {
    byId('shown').open = false;
    Object.assign(figure.layout.margin, {l: 4, r: 52});
    figure.layout.xaxis.nticks = 4;
    if (count > NARROW_BARS) {
      const first = bars.x[count - NARROW_BARS];
      const range = priceRange(first, Infinity);
      figure.layout.xaxis.range = [first, figure.layout.xaxis.range[1]];
      if (range) figure.layout.yaxis.range = range;
      byId('hint').textContent = `The last ${NARROW_BARS} bars are in view; drag to the right for the others.`;
      byId('hint').hidden = false;
    }
    figure.layout.dragmode = 'pan';
  }
  page.onChange(() => {
    tell(-1);
    const isOnPaper = document.documentElement.classList.contains('on-paper');
    if (isOnPaper === (figure.layout.height === PAPER_HEIGHT)) return;
    place.style.height = isOnPaper ? `${PAPER_HEIGHT}px` : '';
    figure.layout.height = isOnPaper ? PAPER_HEIGHT : undefined;
    if (!isOnPaper) draw();
  });

  build();
  for (const entry of figure.legend) show(entry, entry.shown);

  // Thousands of markers are drawn in a task of their own, after the bars and the zones.
  const marks = figure.legend.filter(one => one.shown).flatMap(one => one.traces);
  const isLate = marks.reduce((sum, at) => sum + figure.data[at].x.length, 0) > MANY_MARKS;
  let isFirst = true;
  if (isLate) for (const at of marks) figure.data[at].visible = false;
  let finished;
  page.waitFor(new Promise(done => { finished = done; }));

  function follow() {
    let isSettling = false;
    place.on('plotly_relayout', change => {
      const isMoved = Object.keys(change).some(key => key.startsWith('xaxis.'));
      if (isMoved) tell(-1);
      if (isSettling || !isMoved || 'yaxis.range[0]' in change) return;
      const range = priceRange(...shownRange());
      if (!range) return;
      isSettling = true;
      Plotly.relayout(place, {'yaxis.range': range}).then(() => { isSettling = false; });
    });
  }
  chart.onDrawn = () => {
    if (!isFirst) return;
    isFirst = false;
    follow();
    if (!isLate) { finished(); return; }
    setTimeout(() => {
      for (const entry of figure.legend) show(entry, entry.shown);
      draw();
      finished();
    }, 0);
  };
})();
