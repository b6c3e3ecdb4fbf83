/* The scores of search results: guides come before the reference, and both before pages that have every word. */
// `var`, as in searchtools.js, which declares it again.
var Scorer = {
  score: (result) => {
    const [docname, , , , score] = result;
    const weights = [
      [/^guides\//, 6],
      [/^start\/(?!tour)/, 4],
      [/^(changelog|contributing|dependencies)$/, -10],
      [/^(start\/tour|index)$/, -4],
      [/^reference\/api\/generated-packages$/, -10],
    ];
    const found = weights.find(([pattern]) => pattern.test(docname));
    return score + (found ? found[1] : 0);
  },
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
