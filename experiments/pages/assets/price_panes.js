'use strict';
// Paints the panes of the linked chart on one canvas: prices, consensus, one strip for each head, the whole below.
const panes = (() => {
  const HEIGHTS = {prices: 320, consensus: 74, held: 14, strip: 17, times: 24, whole: 44};
  const GAP = 8;
  const rgba = (word, opacity) => page.colour(`${word}/${opacity}`);

  /** Places of the panes for a canvas of some width: left gutter of names, right one of prices. */
  function placed(width, strips) {
    const narrow = width < 560;
    const left = narrow ? 104 : 118, right = narrow ? 50 : 68;
    const boxes = {left, width: width - left - right, prices: {top: 6, height: narrow ? 250 : HEIGHTS.prices}};
    let top = boxes.prices.top + boxes.prices.height + HEIGHTS.times;
    boxes.consensus = {top, height: HEIGHTS.consensus};
    top += HEIGHTS.consensus + GAP;
    boxes.held = {top, height: HEIGHTS.held};
    top += HEIGHTS.held + GAP;
    boxes.strips = {top, height: HEIGHTS.strip * strips};
    top += boxes.strips.height + 2 * GAP;
    boxes.whole = {top, height: HEIGHTS.whole};
    boxes.height = top + HEIGHTS.whole + 4;
    return boxes;
  }

  function ticks(low, high, about, isLog) {
    if (isLog && high / low > 3) {
      const out = [];
      for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) for (const digit of [1, 2, 5]) out.push(digit * 10 ** power);
      return out.filter(one => one >= low && one <= high);
    }
    const raw = (high - low) / about, power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 2.5, 5, 10].find(one => one * power >= raw) * power;
    const out = [];
    for (let at = Math.ceil(low / step); at * step <= high; at++) out.push(at * step);
    return out;
  }
  const number = value => value.toLocaleString('en-US', {maximumSignificantDigits: 7});

  const MINUTE = 60e3, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
  const STEPS = [MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY];
  const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
  /** Round moments inside [from, to], about so many, each with its label. */
  function moments(from, to, about) {
    const raw = (to - from) / about, out = [];
    const step = STEPS.find(one => one >= raw);
    const named = (time, withDay) => {
      const at = new Date(time), day = `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]}`;
      return withDay ? day : `${String(at.getUTCHours()).padStart(2, '0')}:${String(at.getUTCMinutes()).padStart(2, '0')}`;
    };
    if (step) {
      for (let time = Math.ceil(from / step) * step; time <= to; time += step) out.push([time, named(time, time % DAY === 0)]);
      return out;
    }
    const months = [1, 2, 3, 6, 12, 24, 36, 60].find(one => one * 30.4 * DAY >= raw) || 120;
    const start = new Date(from);
    for (let month = Math.ceil((start.getUTCFullYear() * 12 + start.getUTCMonth()) / months) * months; ; month += months) {
      const time = Date.UTC(Math.floor(month / 12), month % 12, 1);
      if (time > to) return out;
      if (time >= from) out.push([time, month % 12 === 0 ? String(month / 12) : `${MONTHS[month % 12]}`]);
    }
  }

  /** Paints everything; `view` says which bars, which layers, where the cursor is. */
  function paint(context, bars, view, boxes) {
    const {left, width} = boxes;
    const first = Math.max(0, Math.floor(view.first)), last = Math.min(bars.count - 1, Math.ceil(view.last) - 1);
    const pixels = width / (view.last - view.first);
    const x = row => left + (row - view.first) * pixels;
    let [low, high] = bars.range(first, last);
    const room = (high - low) * .06 || Math.abs(high) * .01 || 1;
    const isLog = view.log && low > 0;
    low = isLog ? low / (1 + room / high) : low - room;
    high += room;
    const scale = isLog ? Math.log : one => one;
    const {top, height} = boxes.prices;
    const y = price => top + height * (scale(high) - scale(price)) / (scale(high) - scale(low));
    const frame = {context, bars, view, boxes, first, last, pixels, x, y, left, width};

    context.clearRect(0, 0, context.canvas.width, context.canvas.height);
    context.font = '11px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';
    context.textBaseline = 'middle';
    grid(frame, ticks(low, high, height / 55, isLog));
    clipped(context, left, top, width, height, () => {
      if (view.zones) zones(frame);
      prices(frame);
      if (view.fills) fills(frame);
    });
    consensus(frame);
    clipped(context, left, boxes.held.top, width, boxes.strips.top + boxes.strips.height - boxes.held.top, () => strips(frame));
    names(frame);
    whole(frame);
    if (view.cursor !== null) cursor(frame);
  }
  function clipped(context, left, top, width, height, body) {
    context.save();
    context.beginPath();
    context.rect(left, top, width, height);
    context.clip();
    body();
    context.restore();
  }
  function name(context, text, left, middle) {
    context.fillStyle = page.colour('@muted');
    context.textAlign = 'right';
    context.fillText(text, left - 8, middle);
  }

  function grid({context, bars, view, boxes, first, last, x, y, left, width}, levels) {
    const {top, height} = boxes.prices, bottom = boxes.strips.top + boxes.strips.height;
    context.lineWidth = 1;
    context.strokeStyle = page.colour('@grid');
    context.fillStyle = page.colour('@muted');
    context.textAlign = 'left';
    for (const level of levels) {
      const at = Math.round(y(level)) + .5;
      if (at < top + 5 || at > top + height - 3) continue;
      line(context, left, at, left + width, at);
      context.fillText(number(level), left + width + 6, at);
    }
    context.textAlign = 'center';
    const from = bars.time(first), to = bars.closeTime(last);
    for (const [time, label] of moments(from, to, width / 68)) {
      const row = rowOf(bars, time, first, last), at = Math.round(x(row)) + .5;
      if (at < left || at > left + width) continue;
      line(context, at, top, at, bottom);
      const half = context.measureText(label).width / 2;
      if (at - half > left - 30 && at + half < left + width + 50) context.fillText(label, at, top + height + 12);
    }
    context.strokeStyle = page.colour('@line');
    context.strokeRect(left + .5, top + .5, width - 1, height - 1);
  }
  function rowOf(bars, time, first, last) {
    if (!bars.times) return (time - bars.first) / bars.step;
    let low = first, high = last;
    while (low < high) { const middle = (low + high) >> 1; if (bars.times[middle] < time) low = middle + 1; else high = middle; }
    return low;
  }
  function line(context, x0, y0, x1, y1) {
    context.beginPath();
    context.moveTo(x0, y0);
    context.lineTo(x1, y1);
    context.stroke();
  }

  function prices({context, bars, first, last, pixels, x, y}) {
    if (pixels >= 3) {
      const body = Math.max(1, Math.min(9, pixels * .65));
      for (let row = first; row <= last; row++) {
        if (bars.isGap[row]) continue;
        const rises = bars.close[row] >= bars.open[row], middle = x(row + .5);
        context.strokeStyle = context.fillStyle = page.colour(rises ? '@up' : '@down');
        line(context, middle, y(bars.high[row]), middle, y(bars.low[row]));
        const top = y(Math.max(bars.open[row], bars.close[row])), tall = Math.max(1, y(Math.min(bars.open[row], bars.close[row])) - top);
        // A rising body is hollow: colour is not all that tells it.
        if (rises && body > 3) { context.clearRect(middle - body / 2, top, body, tall); context.strokeRect(middle - body / 2, top, body, tall); }
        else context.fillRect(middle - body / 2, top, body, tall);
      }
      return;
    }
    // Several bars on a pixel: the whole range of each column, then the closes as a line.
    context.fillStyle = rgba('@ink', .32);
    const step = 1 / pixels;
    for (let from = first; from <= last; from += step) {
      const [low, high] = bars.range(Math.floor(from), Math.min(last, Math.max(Math.floor(from), Math.ceil(from + step) - 1)));
      const top = y(high);
      context.fillRect(x(from), top, 1, Math.max(1, y(low) - top));
    }
    context.strokeStyle = page.colour('@ink');
    context.beginPath();
    for (let from = first; from <= last; from += Math.max(1, step)) context.lineTo(x(from + .5), y(bars.close[Math.min(last, Math.floor(from))]));
    context.stroke();
  }

  function zones({context, bars, view, first, last, pixels, x, y}) {
    const {anchor, known, end, lives, bottom, top, direction, kind} = bars.zones;
    const shown = [];
    for (let at = 0; at < known.length; at++) if (view.kinds.has(kind[at]) && known[at] <= last && end[at] >= first) shown.push(at);
    for (const at of shown.slice(-view.mostZones)) {
      const word = direction[at] > 0 ? '@up' : direction[at] < 0 ? '@down' : '@muted';
      // Known at the close of its bar: it begins with the next one.
      const from = x(known[at] + 1), width = Math.max(2, x(end[at] + 1) - from), high = y(top[at]), low = y(bottom[at]);
      context.fillStyle = rgba(word, .1);
      context.strokeStyle = rgba(word, .55);
      if (!lives[at]) context.fillRect(from - 2, (high + low) / 2 - 2, 4, 4);
      else if (low - high >= 1.5) { context.fillRect(from, high, width, low - high); context.strokeRect(from, high, width, low - high); }
      else line(context, from, high, from + width, high);
      // Back to the bar that it describes.
      context.setLineDash([2, 3]);
      line(context, x(anchor[at] + .5), (high + low) / 2, from, (high + low) / 2);
      context.setLineDash([]);
    }
  }

  function fills({context, bars, boxes, first, last, pixels, x, y}) {
    const {trades, fills: all} = bars;
    let seen = 0;
    for (const row of all.row) if (row >= first && row <= last) seen++;
    // Where they would cover the prices they are short marks.
    const crowded = seen * 14 > boxes.width * 2;
    context.lineWidth = 1;
    if (crowded) {
      for (let at = 0; at < all.row.length; at++) {
        if (all.row[at] < first || all.row[at] > last) continue;
        const middle = x(all.row[at] + .5), level = y(all.price[at]), way = all.side[at];
        context.strokeStyle = rgba(way > 0 ? '@up' : '@down', .8);
        line(context, middle, level + way * 2, middle, level + way * 8);
      }
      return;
    }
    for (let at = 0; at < trades.entry.length; at++) {
      if (trades.entry[at] > last || trades.exit[at] < first) continue;
      context.strokeStyle = page.colour(trades.net[at] > 0 ? '@won' : '@lost');
      context.lineWidth = 1.6;
      context.setLineDash(trades.net[at] > 0 ? [] : [4, 3]);
      line(context, x(trades.entry[at] + .5), y(trades.entry_price[at]), x(trades.exit[at] + .5), y(trades.exit_price[at]));
    }
    context.setLineDash([]);
    context.lineWidth = 1;
    const size = Math.max(2.5, Math.min(6, pixels * 1.2 + 2));
    for (let at = 0; at < all.row.length; at++) {
      if (all.row[at] < first || all.row[at] > last) continue;
      const middle = x(all.row[at] + .5), level = y(all.price[at]), way = all.side[at];
      context.fillStyle = page.colour(way > 0 ? '@up' : '@down');
      context.strokeStyle = page.colour('@paper');
      context.beginPath();
      context.moveTo(middle, level - way * size);
      context.lineTo(middle + size, level + way * size);
      context.lineTo(middle - size, level + way * size);
      context.closePath();
      context.fill();
      if (size > 4) context.stroke();
    }
  }

  function consensus({context, bars, boxes, first, last, pixels, x, left, width}) {
    const {top, height} = boxes.consensus, middle = top + height / 2;
    const level = value => middle - value / 1000 * height / 2, stood = bars.gates.indexOf('stands');
    name(context, 'consensus', left, middle);
    context.fillStyle = page.colour('@muted');
    context.textAlign = 'left';
    for (const value of [1000, 0, -1000]) context.fillText((value / 1000).toFixed(0), left + width + 6, level(value) + (value ? Math.sign(value) * 5 : 0));
    context.strokeStyle = page.colour('@line');
    context.strokeRect(left + .5, top + .5, width - 1, height - 1);
    clipped(context, left, top, width, height, () => {
      line(context, left, middle, left + width, middle);
      const step = Math.max(1, 1 / pixels);
      for (let from = first; from <= last; from += step) {
        let high = 0, low = 0, stands = 0;
        for (let row = Math.floor(from); row < Math.min(last + 1, Math.floor(from + step)); row++) {
          const value = bars.score[row];
          if (value === -32768) continue;
          if (value > high) high = value;
          if (value < low) low = value;
          if (bars.gate[row] === stood) stands += Math.sign(value);
        }
        const place = x(Math.floor(from)), wide = Math.max(1, pixels * Math.floor(step) - (pixels > 3 ? 1 : 0));
        if (high) { context.fillStyle = rgba('@up', .45); context.fillRect(place, level(high), wide, middle - level(high)); }
        if (low) { context.fillStyle = rgba('@down', .45); context.fillRect(place, middle, wide, level(low) - middle); }
        if (stands) { context.fillStyle = page.colour(stands > 0 ? '@up' : '@down'); context.fillRect(place, stands > 0 ? top + 1 : top + height - 5, Math.max(1.5, wide), 4); }
      }
    });
  }

  function strips({context, bars, boxes, first, last, pixels, x, left, width}) {
    const step = Math.max(1, 1 / pixels), {held} = boxes;
    for (let from = first; from <= last; from += step) {
      let up = 0, down = 0, count = 0;
      for (let row = Math.floor(from); row < Math.min(last + 1, Math.floor(from + step)); row++) {
        count++;
        if (bars.held[row] > 0) up++; else if (bars.held[row] < 0) down++;
      }
      halves(context, x(Math.floor(from)), held.top, Math.max(1, pixels * Math.floor(step)), held.height, up / count, down / count);
    }
    outline(context, left, held.top, width, held.height);
    bars.heads.forEach((head, at) => {
      const top = boxes.strips.top + at * HEIGHTS.strip, height = HEIGHTS.strip - 3;
      for (let from = first; from <= last; from += step) {
        let up = 0, down = 0, gone = 0, count = 0;
        for (let row = Math.floor(from); row < Math.min(last + 1, Math.floor(from + step)); row++) {
          const value = head.confidence[row];
          count++;
          if (value > 0) up += value; else if (value < 0) down -= value; else gone += head.absent[row];
        }
        const place = x(Math.floor(from)), wide = Math.max(1, pixels * Math.floor(step));
        if (gone === count) { context.fillStyle = rgba('@muted', .3); context.fillRect(place, top + height / 2 - 1, wide, 2); }
        // What is lightly voted for must still be seen: the shade is the root of the mean confidence.
        else halves(context, place, top, wide, height, Math.sqrt(up / count / 100), Math.sqrt(down / count / 100));
      }
      outline(context, left, top, width, height);
    });
  }
  function names({context, bars, boxes, left}) {
    name(context, 'position', left, boxes.held.top + boxes.held.height / 2);
    bars.heads.forEach((head, at) => name(context, head.name, left, boxes.strips.top + (at + .5) * HEIGHTS.strip - 1));
  }
  /** Long above the middle, short below it, so that colour is not all that tells them apart. */
  function halves(context, x, top, width, height, up, down) {
    if (up > 0) { context.fillStyle = rgba('@up', Math.min(1, .12 + .88 * up).toFixed(2)); context.fillRect(x, top, width, height / 2); }
    if (down > 0) { context.fillStyle = rgba('@down', Math.min(1, .12 + .88 * down).toFixed(2)); context.fillRect(x, top + height / 2, width, height / 2); }
  }
  function outline(context, left, top, width, height) {
    context.strokeStyle = page.colour('@grid');
    context.strokeRect(left + .5, top + .5, width - 1, height - 1);
  }

  function whole({context, bars, view, boxes, left, width}) {
    const {top, height} = boxes.whole, [low, high] = bars.extremes ||= bars.range(0, bars.count - 1);
    const scale = low > 0 && high / low > 4 ? Math.log : one => one;
    const y = price => top + height - 2 - (height - 4) * (scale(price) - scale(low)) / (scale(high) - scale(low) || 1);
    name(context, 'all bars', left, top + height / 2);
    context.strokeStyle = page.colour('@muted');
    context.beginPath();
    const step = Math.max(1, bars.count / width);
    for (let from = 0; from < bars.count; from += step) context.lineTo(left + (from + .5) / bars.count * width, y(bars.close[Math.floor(from)]));
    context.stroke();
    const from = left + view.first / bars.count * width, wide = Math.max(4, (view.last - view.first) / bars.count * width);
    context.fillStyle = rgba('@accent', .14);
    context.fillRect(from, top, wide, height);
    context.strokeStyle = page.colour('@accent');
    context.strokeRect(from + .5, top + .5, wide - 1, height - 1);
    outline(context, left, top, width, height);
  }

  function cursor({context, bars, view, boxes, x, y}) {
    const at = Math.round(x(view.cursor + .5)) + .5;
    context.strokeStyle = page.colour('@ink');
    context.setLineDash([3, 3]);
    line(context, at, boxes.prices.top, at, boxes.strips.top + boxes.strips.height);
    context.setLineDash([]);
    context.fillStyle = page.colour('@accent');
    context.beginPath();
    context.arc(at, y(bars.close[view.cursor]), 3.5, 0, 7);
    context.fill();
  }
  return {placed, paint, number};
})();
