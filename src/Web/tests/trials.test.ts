import { describe, expect, it } from 'vitest';
import type { Trial } from '../src/contract';
import { heatMap, parameterColumn, sortTrials, statisticColumns, step, variedParameters } from '../src/trials';

const trial = (number: number, parameters: Record<string, number>, objective: number | null, kept = true): Trial => ({
  trial: number, parameters, objective, kept,
  statistics: { finalEquity: 1, netProfit: number, netReturn: 0, maxDrawdown: 0, closedTrades: number, wonTrades: 1, profitFactor: null, sharpeDaily: objective },
});

const objective = statisticColumns.find(({ id }) => id === 'objective')!;

describe('sorting', () => {
  const trials = [trial(1, { a: 3 }, 2), trial(2, { a: 1 }, null), trial(3, { a: 2 }, 5), trial(4, { a: 2 }, 2), trial(5, { a: 9 }, -1)];

  it.each([['ascending', [5, 1, 4, 3, 2]], ['descending', [3, 1, 4, 5, 2]]] as const)('%s: what is not defined last, equals by number', (order, numbers) => {
    expect(sortTrials(trials, objective, order).map((each) => each.trial)).toEqual(numbers);
  });

  it('by a parameter, and leaves the list as it was', () => {
    expect(sortTrials(trials, parameterColumn('a'), 'ascending').map((each) => each.trial)).toEqual([2, 3, 4, 1, 5]);
    expect(trials.map((each) => each.trial)).toEqual([1, 2, 3, 4, 5]);
  });

  it('has no win rate where nothing was traded', () => {
    const won = statisticColumns.find(({ id }) => id === 'winRate')!;
    expect([won.value(trial(0, {}, 1)), won.value(trial(4, {}, 1))]).toEqual([null, 0.25]);
  });
});

it('varied is what differs between trials', () => {
  expect(variedParameters([])).toEqual([]);
  expect(variedParameters([trial(1, { a: 1, b: 2, c: 3 }, 1), trial(2, { a: 1, b: 3, c: 3 }, 1), trial(3, { a: 1, b: 2, c: 4 }, 1)])).toEqual(['b', 'c']);
});

describe('the map', () => {
  const trials = [
    trial(1, { x: 1, y: 10, z: 0 }, 1), trial(2, { x: 1, y: 10, z: 1 }, 3), trial(3, { x: 2, y: 10, z: 0 }, -1), trial(4, { x: 2, y: 20, z: 0 }, null),
    trial(5, { x: 1, y: 20, z: 0 }, 9, false), trial(6, { x: 1, y: 20, z: 1 }, 1),
  ];

  it('has a row and a column for each value, the greatest y on top', () => {
    const { xs, ys, cells } = heatMap(trials, 'x', 'y');
    expect([xs, ys]).toEqual([[1, 2], [20, 10]]);
    expect(cells.map((row) => row.map((cell) => cell?.trial.trial ?? null))).toEqual([[6, null], [2, 3]]);
  });

  it('shows the best of each pair that keeps to the constraints, coloured from the worst to the best cell', () => {
    const { cells } = heatMap(trials, 'x', 'y');
    expect(cells.map((row) => row.map((cell) => cell?.share ?? null))).toEqual([[0.5, null], [1, 0]]);
  });

  it('is of one colour where all are alike, and empty without trials', () => {
    expect(heatMap([trial(1, { x: 1, y: 1 }, 2)], 'x', 'y').cells[0]![0]!.share).toBe(1);
    expect(heatMap([], 'x', 'y')).toEqual({ x: 'x', y: 'y', xs: [], ys: [], cells: [] });
  });

  it.each([
    ['ArrowUp', [0, 1]], ['ArrowDown', [2, 1]], ['ArrowLeft', [1, 0]], ['ArrowRight', [1, 2]], ['Home', [1, 0]], ['End', [1, 3]], ['Enter', null],
  ] as const)('%s leads to %j', (key, place) => expect(step(key, 1, 1, 3, 4)).toEqual(place));

  it.each([['ArrowUp', 0, 0], ['ArrowLeft', 0, 0], ['ArrowDown', 2, 3], ['ArrowRight', 2, 3]] as const)('%s stays on the map', (key, row, column) => {
    expect(step(key, row, column, 3, 4)).toEqual([row, column]);
  });
});
