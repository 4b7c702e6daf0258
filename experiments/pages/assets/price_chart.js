'use strict';
// The linked chart as a reader uses it: pointing, dragging, keys, layers, and what was said on the bar under the cursor.
function priceChart(element, given) {
  const place = element.querySelector('.linked');
  const all = given.symbols.map(() => null);
  const MOST_ZONES = 150, LEAST_BARS = 12, ZONES_UP_TO = 500, MOST_TOLD = 6, MOST_FILLS = 4;
  let bars = null, boxes = null, drag = null, painting = 0;
  const view = {first: 0, last: 1, log: false, fills: true, zones: true, kinds: new Set(), mostZones: MOST_ZONES, cursor: null};

  const made = (tag, attributes = {}, text = '') => {
    const one = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) one.setAttribute(name, value);
    one.textContent = text;
    return one;
  };
  const tools = made('div', {class: 'tools', role: 'group', 'aria-label': 'What is shown'});
  const canvas = made('canvas', {tabindex: '0', role: 'img', 'aria-label': `${element.querySelector('figcaption').textContent.trim()} Arrow keys move from bar to bar, plus and minus zoom.`});
  const readout = made('div', {class: 'readout', 'aria-live': 'polite'});
  const legend = made('p', {class: 'note'}, 'Upper half of a strip: long, lower half: short; the stronger the shade, the more confident, also of votes that are too weak to count. A grey line: the head had no data. '
    + 'Marks at the edge of the consensus: it stood there. Triangles are fills, up bought and down sold; lines lead from entry to exit: full blue won, dashed grey lost. Times are UTC.');
  const hands = made('p', {class: 'note hands'}, 'Point at a bar, or move to it with the arrow keys, to read the votes and the reasons given for them. Drag to move, Ctrl and wheel to zoom.');
  place.append(tools, canvas, hands, readout, legend);
  const context = canvas.getContext('2d');

  function button(text, label, act) {
    const one = made('button', {type: 'button', 'aria-label': label, title: label}, text);
    one.addEventListener('click', () => { act(one); paint(); });
    tools.append(one);
    return one;
  }
  function toggle(text, label, key) {
    const one = button(text, label, () => { view[key] = !view[key]; one.setAttribute('aria-pressed', view[key]); });
    one.setAttribute('aria-pressed', view[key]);
    return one;
  }
  if (given.symbols.length > 1) {
    const chooser = made('select', {'aria-label': 'Symbol'});
    given.symbols.forEach((one, at) => chooser.append(made('option', {value: at}, one.symbol)));
    chooser.addEventListener('change', () => choose(Number(chooser.value)));
    tools.append(chooser);
  }
  button('−', 'Zoom out', () => zoom(2));
  button('+', 'Zoom in', () => zoom(.5));
  button('all', 'Show all bars', () => { view.first = 0; view.last = bars.count; });
  toggle('log', 'Logarithmic prices', 'log');
  toggle('fills', 'Fills and trades', 'fills');
  const zonesButton = toggle('zones', 'Zones of the heads', 'zones');
  const kinds = made('details', {class: 'kinds'});
  tools.append(kinds);

  function choose(at) {
    all[at] ||= new Bars(given.symbols[at], given.gates);
    bars = all[at];
    view.first = 0;
    view.last = bars.count;
    view.cursor = null;
    view.log = Math.max(...bars.extremes ||= bars.range(0, bars.count - 1)) > 4 * bars.extremes[0] && bars.extremes[0] > 0;
    [...tools.querySelectorAll('button')].find(one => one.textContent === 'log').setAttribute('aria-pressed', view.log);
    view.kinds = new Set([...bars.zones.kinds.keys()].filter(one => bars.zones.boxes[one]));
    zonesButton.hidden = kinds.hidden = !bars.zones.kinds.length;
    kinds.replaceChildren(made('summary', {}, 'which zones'));
    const box = made('div', {class: 'choices'});
    const groups = new Map();
    bars.zones.kinds.forEach(([head, detector], number) => {
      const name = `${head} · ${detector}`;
      groups.set(name, [...groups.get(name) || [], number]);
    });
    for (const [name, numbers] of [...groups].sort()) {
      const label = made('label'), input = made('input', {type: 'checkbox'});
      input.checked = numbers.some(one => view.kinds.has(one));
      input.addEventListener('change', () => { numbers.forEach(one => view.kinds[input.checked ? 'add' : 'delete'](one)); paint(); });
      label.append(input, ` ${name}`);
      box.append(label);
    }
    kinds.append(box);
    resize();
    tell(bars.count - 1);
  }

  function resize(width = place.clientWidth) {
    if (!width || !bars) return;
    boxes = panes.placed(width, bars.heads.length);
    const ratio = Math.min(3, devicePixelRatio || 1);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${boxes.height}px`;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(boxes.height * ratio);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    now();
  }
  // Thousands of zones on a few pixels show nothing.
  const zonesShown = () => view.zones && view.last - view.first <= ZONES_UP_TO;
  function now() {
    panes.paint(context, bars, {...view, zones: zonesShown()}, boxes);
    zonesButton.disabled = view.last - view.first > ZONES_UP_TO;
    zonesButton.title = zonesButton.disabled ? `Zones are drawn where ${ZONES_UP_TO.toLocaleString('en-US')} bars or fewer are in view` : 'Zones of the heads';
    element.dataset.drawn = 'yes';
  }
  function paint() {
    cancelAnimationFrame(painting);
    painting = requestAnimationFrame(now);
  }

  function show(first, count) {
    const wide = Math.max(Math.min(LEAST_BARS, bars.count), Math.min(bars.count, count));
    view.first = Math.max(0, Math.min(bars.count - wide, first));
    view.last = view.first + wide;
  }
  function zoom(factor, around = view.cursor === null ? (view.first + view.last) / 2 : view.cursor + .5) {
    const count = Math.max(Math.min(LEAST_BARS, bars.count), Math.min(bars.count, (view.last - view.first) * factor));
    const share = (around - view.first) / (view.last - view.first);
    show(around - share * count, count);
  }
  const rowAt = x => Math.max(0, Math.min(bars.count - 1, Math.floor(view.first + (x - boxes.left) / boxes.width * (view.last - view.first))));

  const moment = time => new Date(time).toISOString().slice(0, 16).replace('T', ' ');
  const price = value => value.toLocaleString('en-US', bars.decimals <= 4 ? {minimumFractionDigits: bars.decimals, maximumFractionDigits: Math.max(4, bars.decimals)} : {maximumSignificantDigits: 8});
  function zoneText(at) {
    const {bottom, top, kind, direction} = bars.zones, [head, detector, type] = bars.zones.kinds[kind[at]];
    const way = direction[at] > 0 ? ' ▲' : direction[at] < 0 ? ' ▼' : '';
    return `${head} ${type === detector ? type : `${detector} ${type}`}${way} ${panes.number(bottom[at])}${top[at] > bottom[at] ? ` to ${panes.number(top[at])}` : ''}`;
  }
  function tell(row) {
    const lines = [made('p', {class: 'bar'}, `${moment(bars.time(row))} to ${moment(bars.closeTime(row))}${bars.together > 1 ? ` (${bars.together} bars)` : ''}`
      + (bars.isGap[row] ? ' · the bar is missing' : ` · open ${price(bars.open[row])}, high ${price(bars.high[row])}, low ${price(bars.low[row])}, close ${price(bars.close[row])}`))];
    if (bars.score[row] !== -32768) {
      const gate = given.gates[bars.gate[row]];
      const votes = gate === 'tie' ? `a tie: ${bars.counting(row, 1)} long, ${bars.counting(row, -1)} short, of the votes that count`
        : `${bars.votesFor[row]} for, ${bars.votesAgainst[row]} against, of the votes that count; ${gate === 'stands' ? 'it stands' : `stopped by: ${gate.replaceAll('_', ' ')}`}`;
      lines.push(made('p', {}, `consensus ${(bars.score[row] / 1000).toFixed(2)}: ${votes}`
        + (bars.decisionOn.has(row) ? ` · decision: target ${bars.decisions.target[bars.decisionOn.get(row)].toFixed(2)}` : '')));
    }
    const fills = bars.fillsOn.get(row) || [];
    for (const at of fills.slice(0, MOST_FILLS)) {
      const {side, quantity, price: paid, reason, reasons} = bars.fills;
      lines.push(made('p', {class: 'fill'}, `${side[at] > 0 ? '▲ bought' : '▼ sold'} ${panes.number(quantity[at])} at ${price(paid[at])}: ${reasons[reason[at]]}`));
    }
    if (fills.length > MOST_FILLS) lines.push(made('p', {class: 'fill'}, `and ${fills.length - MOST_FILLS} more`));
    const zones = zonesShown() ? bars.zonesOn(row, view.kinds) : [];
    const left = zones.length - MOST_TOLD;
    if (zones.length) lines.push(made('p', {class: 'zones none'}, `known here, nearest to the close first: ${bars.nearest(zones, row).slice(0, MOST_TOLD).map(zoneText).join('; ')}${left > 0 ? `; and ${left} more` : ''}`));
    const list = made('ul');
    for (const head of bars.heads) {
      const said = bars.said(head, row), one = made('li');
      one.append(made('b', {}, head.name), made('span', {class: said.way > 0 ? 'up' : said.way < 0 ? 'down' : 'none'}, said.way > 0 ? '▲ long' : said.way < 0 ? '▼ short' : '–'),
        made('span', {class: 'none'}, said.text), made('i', {}, said.because || ''));
      list.append(one);
    }
    readout.replaceChildren(...lines, list);
  }
  function point(row) {
    if (row === view.cursor) return;
    view.cursor = row;
    tell(row);
    paint();
  }

  const local = event => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
  canvas.addEventListener('pointerdown', event => {
    const [x, y] = local(event), inWhole = y >= boxes.whole.top;
    if (event.pointerType === 'touch' && !inWhole) { point(rowAt(x)); return; }
    drag = {x, first: view.first, count: view.last - view.first, inWhole};
    canvas.setPointerCapture(event.pointerId);
    if (inWhole) { show((x - boxes.left) / boxes.width * bars.count - drag.count / 2, drag.count); drag.first = view.first; paint(); }
  });
  canvas.addEventListener('pointermove', event => {
    const [x] = local(event);
    if (drag) {
      const scale = drag.inWhole ? bars.count : -drag.count;
      show(drag.first + (x - drag.x) / boxes.width * scale, drag.count);
      paint();
    } else point(rowAt(x));
  });
  canvas.addEventListener('pointerup', () => { drag = null; });
  canvas.addEventListener('pointercancel', () => { drag = null; });
  canvas.addEventListener('dblclick', () => { view.first = 0; view.last = bars.count; paint(); });
  canvas.addEventListener('wheel', event => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    zoom(event.deltaY > 0 ? 1.25 : .8, rowAt(local(event)[0]) + .5);
    paint();
  }, {passive: false});
  const KEYS = {ArrowLeft: -1, ArrowRight: 1, PageUp: -50, PageDown: 50, Home: -Infinity, End: Infinity};
  canvas.addEventListener('keydown', event => {
    if (event.key in KEYS) {
      const from = view.cursor === null ? Math.floor((view.first + view.last) / 2) : view.cursor;
      const row = Math.max(0, Math.min(bars.count - 1, from + KEYS[event.key]));
      if (row < view.first || row >= view.last) show(row - (view.last - view.first) / 2, view.last - view.first);
      point(row);
    } else if (event.key === '+' || event.key === '=') zoom(.5);
    else if (event.key === '-') zoom(2);
    else return;
    event.preventDefault();
    paint();
  });
  page.onChange(() => { if (document.documentElement.classList.contains('on-paper')) resize(640); else resize(); });
  new ResizeObserver(() => { if (!document.documentElement.classList.contains('on-paper')) resize(); }).observe(place);

  choose(0);
}

for (const element of document.querySelectorAll('figure.prices')) {
  page.waitFor(page.unpacked(element.querySelector('script.figure')).then(text => priceChart(element, JSON.parse(text))).catch(error => {
    element.dataset.drawn = 'failed';
    element.querySelector('.linked').textContent = 'This browser could not draw the prices; trades and votes are in the tables and in the Parquet files of the run.';
    console.error(error);
  }));
}
