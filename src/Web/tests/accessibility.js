// For tests in a browser: first run the text of node_modules/axe-core/axe.min.js in the page, then this function. It answers what breaks WCAG 2.2 AA
// or good practice, a line each; nothing when all is well. Both are to be evaluated, not added as script elements, which the page's policy forbids.
async () => {
  const { violations } = await axe.run(document, {
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    // What is inside the frame of a tear sheet has its own tests.
    iframes: false,
  });
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html, any, all, none }) => {
    const why = [...any, ...all, ...none].map(({ message }) => message).join('; ');
    return `${id}: ${html.slice(0, 200)} (${why})`;
  }));
}
