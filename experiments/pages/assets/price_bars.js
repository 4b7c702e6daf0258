'use strict';
// One symbol of the linked chart, decoded: typed arrays by drawn bar, and questions about them.
class Bars {
  constructor(given, gates) {
    const array = page.array;
    const scale = given.decimals === null ? 1 : 10 ** given.decimals;
    for (const name of ['open', 'high', 'low', 'close']) {
      const raw = array(given[name]);
      this[name] = scale === 1 ? raw : Float64Array.from(raw, one => one / scale);
    }
    this.symbol = given.symbol;
    this.together = given.together;
    this.count = this.close.length;
    this.first = given.first;
    this.step = given.step;
    this.times = given.times ? array(given.times) : null;
    this.end = given.end;
    this.decimals = given.decimals ?? 8;
    this.gates = gates;
    this.isGap = new Uint8Array(this.count);
    for (const row of array(given.gaps)) this.isGap[row] = 1;
    this.score = array(given.score);
    this.votesFor = array(given.for);
    this.votesAgainst = array(given.against);
    this.gate = array(given.gate);
    this.decisions = {row: array(given.decisions.row), target: array(given.decisions.target)};
    this.heads = given.heads.map(one => this.#head(one));
    this.fills = {...given.fills};
    for (const name of ['row', 'price', 'quantity', 'side', 'reason']) this.fills[name] = array(given.fills[name]);
    this.trades = {};
    for (const name of ['entry', 'exit', 'held', 'entry_price', 'exit_price', 'side', 'net']) this.trades[name] = array(given.trades[name]);
    this.zones = {count: given.zones.count, kinds: given.zones.kinds, boxes: given.zones.boxes};
    for (const name of ['anchor', 'known', 'end', 'lives', 'bottom', 'top', 'direction', 'kind']) this.zones[name] = array(given.zones[name]);
    this.held = new Int8Array(this.count);
    for (let at = 0; at < this.trades.entry.length; at++) this.held.fill(this.trades.side[at], this.trades.entry[at], Math.max(this.trades.entry[at], this.trades.held[at]) + 1);
    this.fillsOn = new Map();
    this.fills.row.forEach((row, at) => { if (!this.fillsOn.has(row)) this.fillsOn.set(row, []); this.fillsOn.get(row).push(at); });
    this.decisionOn = new Map();
    this.decisions.row.forEach((row, at) => this.decisionOn.set(row, at));
  }
  #head(given) {
    const array = page.array, rows = array(given.row), confidence = array(given.confidence), direction = array(given.direction);
    const head = {name: given.label, texts: given.texts, confidence: new Int8Array(this.count), vote: new Int32Array(this.count).fill(-1),
      probability: array(given.probability), counts: array(given.counts), text: array(given.text), direction, absent: new Uint8Array(this.count)};
    rows.forEach((row, at) => {
      // A vote of no confidence is still a vote, and is seen.
      head.confidence[row] = confidence[at] || direction[at];
      head.vote[row] = at;
    });
    for (const [first, last] of given.absent) head.absent.fill(1, first, last + 1);
    return head;
  }
  time(row) {
    return this.times ? this.times[row] : this.first + row * this.step;
  }
  closeTime(row) {
    return row + 1 < this.count ? this.time(row + 1) : this.end;
  }
  /** Lowest low and highest high of [first, last]. */
  range(first, last) {
    let low = Infinity, high = -Infinity;
    for (let row = first; row <= last; row++) {
      if (this.low[row] < low) low = this.low[row];
      if (this.high[row] > high) high = this.high[row];
    }
    return [low, high];
  }
  /** Zones of the kinds asked for that are known and not over at the close of a row. */
  zonesOn(row, kinds) {
    const {known, end, lives, kind} = this.zones, out = [];
    for (let at = 0; at < known.length; at++) if (kinds.has(kind[at]) && known[at] <= row && (lives[at] ? end[at] > row : known[at] === row)) out.push(at);
    return out;
  }
  /** What a head said on a row, as text. */
  /** Zones ordered by the distance of their prices from the close of a row; of those that hold it the newest first. */
  nearest(zones, row) {
    const {bottom, top, known} = this.zones, close = this.close[row];
    const away = at => Math.max(0, bottom[at] - close, close - top[at]);
    return [...zones].sort((a, b) => away(a) - away(b) || known[b] - known[a]);
  }
  /** How many votes of a row are on a side and strong enough to count. */
  counting(row, side) {
    return this.heads.filter(head => head.vote[row] >= 0 && head.counts[head.vote[row]] && head.direction[head.vote[row]] === side).length;
  }
  said(head, row) {
    const at = head.vote[row];
    if (at < 0) return head.absent[row] ? {way: 0, text: 'no data'} : {way: 0, text: 'no vote'};
    const way = head.direction[at];
    const stated = `p ${(head.probability[at] / 100).toFixed(2)}, confidence ${(Math.abs(head.confidence[row]) / 100).toFixed(2)}`;
    return {way, text: head.counts[at] ? stated : `${stated}: too weak to count`, because: head.texts[head.text[at]]};
  }
}
