'use strict';
// Draws the charts of a page, one in each task, those in view first; in the palette of style.css.
const page = (() => {
  const root = document.documentElement;
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const narrow = matchMedia('(max-width: 760px)');
  const PAPER_WIDTH = {full: 660, half: 318}, PAPER_HEIGHT = .78;
  const ARRAYS = {f8: Float64Array, f4: Float32Array, i4: Int32Array, u4: Uint32Array, i2: Int16Array, u2: Uint16Array, i1: Int8Array, u1: Uint8Array};
  const colours = new Map();

  function colour(word) {
    if (!colours.has(word)) {
      const [name, opacity] = word.slice(1).split('/');
      const hex = getComputedStyle(root).getPropertyValue('--' + name).trim();
      const parts = [1, 3, 5].map(at => parseInt(hex.slice(at, at + 2), 16));
      colours.set(word, opacity === undefined ? hex : `rgba(${parts.join(',')},${opacity})`);
    }
    return colours.get(word);
  }
  function painted(value, key) {
    if (typeof value === 'string') return value[0] === '@' && /color/.test(key) ? colour(value) : value;
    if (Array.isArray(value)) return value.some(one => typeof one !== 'number') ? value.map(one => painted(one, key)) : value;
    if (value === null || typeof value !== 'object' || value.bdata !== undefined) return value;
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, painted(one, name)]));
  }
  function array(spec) {
    if (Array.isArray(spec)) return spec;
    return new ARRAYS[spec.dtype](bytesOf(spec.bdata).buffer);
  }
  function bytesOf(base64) {
    if (Uint8Array.fromBase64) return Uint8Array.fromBase64(base64);
    const letters = atob(base64), bytes = new Uint8Array(letters.length);
    for (let at = 0; at < letters.length; at++) bytes[at] = letters.charCodeAt(at);
    return bytes;
  }
  /** The text of an element that holds it compressed; the element is emptied. */
  async function unpacked(element) {
    const bytes = bytesOf(element.textContent.trim());
    element.textContent = '';
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))).text();
  }

  function merged(base, own) {
    const out = {...base};
    for (const [key, value] of Object.entries(own)) {
      const isTree = value !== null && typeof value === 'object' && !Array.isArray(value) && value.bdata === undefined;
      out[key] = isTree && out[key] !== null && typeof out[key] === 'object' ? merged(out[key], value) : value;
    }
    return out;
  }
  const AXIS = {gridcolor: '@grid', linecolor: '@line', zerolinecolor: '@line', tickcolor: '@line', automargin: true, showline: true, minorloglabels: 'complete', title: {standoff: 8}};
  function layoutOf(own) {
    const size = narrow.matches ? 11 : 12;
    const base = {
      font: {family: 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif', size, color: '@ink'},
      paper_bgcolor: 'rgba(0,0,0,0)', plot_bgcolor: 'rgba(0,0,0,0)',
      margin: {l: 52, r: 12, t: 12, b: 36}, hovermode: 'closest', dragmode: narrow.matches ? false : 'zoom',
      hoverlabel: {bgcolor: '@paper', bordercolor: '@line', font: {color: '@ink', size}, align: 'left'},
      legend: {orientation: 'h', x: 0, xanchor: 'left', y: 1.01, yanchor: 'bottom', font: {size}, itemsizing: 'constant', bgcolor: 'rgba(0,0,0,0)'},
      colorway: [0, 1, 2, 3, 4, 5, 6, 7, 8].map(at => '@hue' + at),
      modebar: {bgcolor: 'rgba(0,0,0,0)', color: '@muted', activecolor: '@accent'},
      xaxis: {}, yaxis: {},
    };
    const whole = merged(base, own);
    for (const key of Object.keys(whole)) {
      if (/^[xy]axis\d*$/.test(key)) whole[key] = merged(AXIS, whole[key]);
      if (/^coloraxis\d*$/.test(key)) whole[key] = merged({colorbar: BAR}, whole[key]);
    }
    return whole;
  }
  const BAR = {outlinewidth: 0, thickness: 11, tickcolor: '@line'};
  function traceOf(own) {
    return 'colorscale' in own && own.showscale !== false ? {...own, colorbar: merged(BAR, own.colorbar || {})} : own;
  }

  const charts = [];
  const options = {responsive: true, displaylogo: false, displayModeBar: narrow.matches ? false : 'hover', modeBarButtonsToRemove: ['select2d', 'lasso2d', 'autoScale2d']};

  function draw(chart, size) {
    const {data, layout} = chart.figure;
    const whole = painted(layoutOf(layout), '');
    const shown = data.map(one => painted(traceOf(one), ''));
    const at = chart.element.dataset;
    try {
      Plotly.react(chart.place, shown, {...whole, ...size}, {...options, ...chart.options});
      at.drawn = 'yes';
      chart.onDrawn();
    } catch (error) {
      at.drawn = 'failed';
      chart.place.textContent = 'This picture could not be drawn; the numbers are in the text and the tables.';
      console.error(chart.element.id, error);
    }
  }
  function set(tree, dotted, value) {
    const keys = dotted.split('.');
    for (const key of keys.slice(0, -1)) tree = tree[key] = tree[key] && typeof tree[key] === 'object' ? tree[key] : {};
    tree[keys[keys.length - 1]] = value;
  }
  function add(element) {
    const chart = {element, place: element.querySelector('.plot'), figure: null, options: {}, onDrawn() {}, load() {
      this.figure ||= JSON.parse(element.querySelector('script.figure').textContent);
    }, draw(size) { this.load(); draw(this, size); }};
    const buttons = [...element.querySelectorAll('.switches button')];
    buttons.forEach((button, at) => button.addEventListener('click', () => {
      buttons.forEach(one => one.setAttribute('aria-pressed', one === button));
      chart.load();
      for (const [key, value] of Object.entries(chart.figure.switches[at])) set(chart.figure.layout, key, value);
      chart.draw();
    }));
    chart.place.setAttribute('role', 'img');
    chart.place.setAttribute('aria-label', element.querySelector('figcaption').textContent.trim());
    charts.push(chart);
  }
  for (const element of document.querySelectorAll('figure.chart')) add(element);

  // A folded chart has no width: it is drawn when its fold is opened.
  const isShown = chart => chart.element.checkVisibility ? chart.element.checkVisibility() : chart.element.offsetParent !== null;
  const waiting = () => charts.filter(chart => !chart.element.dataset.drawn && isShown(chart));
  function next() {
    const left = waiting();
    if (!left.length) { Promise.allSettled(held).then(() => { root.dataset.ready = 'yes'; }); return; }
    const middle = innerHeight / 2;
    const distance = chart => { const box = chart.element.getBoundingClientRect(); return Math.abs((box.top + box.bottom) / 2 - middle); };
    left.reduce((a, b) => distance(b) < distance(a) ? b : a).draw();
    setTimeout(next, 12);
  }
  function redraw() {
    colours.clear();
    for (const chart of charts) if (chart.element.dataset.drawn === 'yes') chart.draw();
    for (const one of listeners) one();
  }
  const listeners = [];
  const held = [];

  async function loaded() {
    const source = document.getElementById('plotly');
    if (!charts.length) { next(); return; }
    // The text is painted before anything else is done.
    await new Promise(done => requestAnimationFrame(() => setTimeout(done, 0)));
    const text = await unpacked(source);
    const script = document.createElement('script');
    const address = URL.createObjectURL(new Blob([text], {type: 'text/javascript'}));
    await new Promise((done, failed) => { script.onload = done; script.onerror = failed; script.src = address; document.head.append(script); });
    URL.revokeObjectURL(address);
    setTimeout(next, 0);
  }
  document.addEventListener('toggle', event => { if (event.target.open && window.Plotly) next(); }, true);
  dark.addEventListener('change', redraw);
  narrow.addEventListener('change', redraw);

  addEventListener('beforeprint', () => {
    root.classList.add('on-paper');
    colours.clear();
    for (const one of listeners) one();
    if (!window.Plotly) return;
    for (const chart of charts.filter(isShown)) {
      const size = {width: PAPER_WIDTH[chart.element.classList.contains('half') ? 'half' : 'full'], autosize: false};
      if (!chart.setsItsHeight) {
        size.height = Math.round(PAPER_HEIGHT * parseFloat(chart.element.dataset.height ||= chart.place.style.height));
        chart.place.style.height = `${size.height}px`;
      }
      chart.draw(size);
    }
  });
  addEventListener('afterprint', () => {
    root.classList.remove('on-paper');
    for (const chart of charts) if (chart.element.dataset.height) chart.place.style.height = chart.element.dataset.height;
    redraw();
  });

  const links = new Map([...document.querySelectorAll('nav a')].map(one => [one.getAttribute('href').slice(1), one]));
  const seen = new IntersectionObserver(entries => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      for (const one of links.values()) one.removeAttribute('aria-current');
      links.get(entry.target.id)?.setAttribute('aria-current', 'true');
    }
  }, {rootMargin: '0px 0px -75% 0px'});
  for (const one of document.querySelectorAll('main > section')) seen.observe(one);

  loaded().catch(error => {
    for (const chart of charts) {
      chart.element.dataset.drawn = 'failed';
      chart.place.textContent = 'This browser could not draw the pictures; the numbers are in the text and the tables.';
    }
    console.error(error);
  });
  return {charts, colour, array, unpacked, narrow, onChange: one => listeners.push(one), waitFor: promise => held.push(promise)};
})();
