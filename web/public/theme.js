// Runs before the first paint, so that a light screen never flashes dark. Kept apart from index.html so that the
// content security policy needs no inline script.
(() => {
  let choice = 'dark';
  try {
    choice = localStorage.getItem('vigie.theme') || 'dark';
  } catch {
    // Storage may be forbidden; dark is the default anyway.
  }
  const light = choice === 'light' || (choice === 'system' && matchMedia('(prefers-color-scheme: light)').matches);
  document.documentElement.dataset.theme = light ? 'light' : 'dark';
})();
