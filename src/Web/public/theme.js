// Runs before the first paint, so that a chosen theme does not flash; src/theme.ts does the rest.
try {
  const chosen = localStorage.getItem('theme');
  if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen;
} catch {
  // Storage may be blocked; then the system's preference holds.
}
