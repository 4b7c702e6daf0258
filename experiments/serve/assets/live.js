'use strict';
// Shows again what changes while somebody looks: the part of the page called "live", as often as it says.
(() => {
  let failures = 0;
  const wait = () => Number(document.getElementById('live').dataset.every || 0) * 1000;
  async function again() {
    if (!document.hidden) {
      const answer = await fetch(location.href, {headers: {accept: 'text/html'}}).catch(() => null);
      if (answer && answer.ok) {
        const other = new DOMParser().parseFromString(await answer.text(), 'text/html').getElementById('live');
        const own = document.getElementById('live');
        // What is the same stays, so that a screen reader is told of what changed alone.
        if (other && other.outerHTML !== own.outerHTML) own.replaceWith(document.adoptNode(other));
        failures = 0;
      } else if (++failures === 3) {
        const own = document.getElementById('live');
        const words = document.createElement('p');
        words.className = 'words note-warning';
        words.textContent = 'The server does not answer any more: this is how far it was.';
        own.prepend(words);
        return;
      }
    }
    if (wait()) setTimeout(again, wait());
  }
  if (wait()) setTimeout(again, wait());
})();
