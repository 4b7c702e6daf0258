'use strict';
// The list without loading the page anew: filters act as one types, marks stay over pages and visits.
(() => {
  const filters = document.querySelector('form.filters');
  const KEY = 'marked';
  const marked = new Set(JSON.parse(sessionStorage.getItem(KEY) || '[]'));
  let asked = 0;

  const most = () => Number(document.querySelector('#compare [data-most]')?.dataset.most ?? 0);
  function show() {
    sessionStorage.setItem(KEY, JSON.stringify([...marked]));
    for (const box of document.querySelectorAll('#compare [name=run]')) box.checked = marked.has(box.value);
    const button = document.querySelector('#compare [type=submit]');
    if (!button) return;
    const count = marked.size;
    button.disabled = count < 2 || count > most();
    document.getElementById('unmark').hidden = count === 0;
    document.getElementById('marked').textContent = count === 0 ? `Mark 2 to ${most()} runs to compare them.`
      : count === 1 ? '1 run is marked: mark another one.'
      : count > most() ? `${count} runs are marked: ${most()} at most can be compared.` : `${count} runs are marked.`;
  }

  async function load(address, {keepsHistory = false, focus = false} = {}) {
    const own = ++asked;
    const answer = await fetch(address, {headers: {accept: 'text/html'}}).catch(() => null);
    if (own !== asked) return;
    if (!answer || !answer.ok) { if (!keepsHistory) location.assign(address); else later(); return; }
    const other = new DOMParser().parseFromString(await answer.text(), 'text/html').getElementById('found');
    if (own !== asked || !other) return;
    document.getElementById('found').replaceWith(document.adoptNode(other));
    if (!keepsHistory) history.replaceState(null, '', address);
    if (focus) document.querySelector('#found .scroll')?.focus({preventScroll: true});
    show();
    later();
  }
  function later() {
    const found = document.getElementById('found');
    if (Number(found.dataset.waiting) > 0) setTimeout(() => load(location.href, {keepsHistory: true}), 700);
  }
  function address() {
    const stated = new URLSearchParams([...new FormData(filters)].filter(([name, value]) => value && !(name === 'sort' && value === '-created')));
    return stated.size ? `/?${stated}` : '/';
  }
  let timer;
  const soon = wait => { clearTimeout(timer); timer = setTimeout(() => load(address()), wait); };
  filters.addEventListener('input', event => soon(event.target.matches('select, [type=date]') ? 0 : 180));
  filters.addEventListener('submit', event => { event.preventDefault(); soon(0); });

  document.addEventListener('click', event => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    const link = event.target.closest('#found thead a, #found .pages a');
    if (link) {
      event.preventDefault();
      const sort = new URL(link.href).searchParams.get('sort') ?? '-created';
      filters.elements.sort.value = sort;
      load(link.getAttribute('href'), {focus: true});
      if (link.closest('.pages')) scrollTo(0, 0);
    }
    if (event.target.id === 'unmark') { marked.clear(); show(); }
  });
  document.addEventListener('change', event => {
    if (!event.target.matches('#compare [name=run]')) return;
    if (event.target.checked) marked.add(event.target.value); else marked.delete(event.target.value);
    show();
  });
  document.addEventListener('submit', event => {
    if (event.target.id !== 'compare') return;
    event.preventDefault();
    if (marked.size >= 2 && marked.size <= most()) location.assign(`/compare?${new URLSearchParams([...marked].map(one => ['run', one]))}`);
  });
  document.addEventListener('keydown', event => {
    if (event.key !== '/' || event.target.matches('input, select, textarea')) return;
    event.preventDefault();
    filters.elements.text.focus();
  });
  addEventListener('pageshow', show);
  show();
  later();
})();
