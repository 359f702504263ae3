import { beforeEach, describe, expect, it } from 'vitest';
import { Rows } from '../src/dom';

/** As much of an element as rows need; the order of the children is what is looked at. */
class Place {
  children: Place[] = [];
  parent: Place | null = null;

  constructor(readonly name: string) {}

  get firstElementChild(): Place | null {
    return this.children[0] ?? null;
  }

  get nextElementSibling(): Place | null {
    return this.parent?.children[this.parent.children.indexOf(this) + 1] ?? null;
  }

  insertBefore(child: Place, next: Place | null) {
    child.remove();
    child.parent = this;
    this.children.splice(next ? this.children.indexOf(next) : this.children.length, 0, child);
  }

  remove() {
    if (this.parent) this.parent.children = this.parent.children.filter((each) => each !== this);
    this.parent = null;
  }
}

interface Item {
  id: string;
  value: number;
}

describe('rows', () => {
  let place: Place;
  let updates: string[];
  let rows: Rows<Item>;
  const names = () => place.children.map(({ name }) => name).join('');

  beforeEach(() => {
    place = new Place('list');
    updates = [];
    rows = new Rows<Item>(place as unknown as HTMLElement, ({ id }) => id, ({ id }) => ({
      element: new Place(id) as unknown as HTMLElement, update: ({ value }) => updates.push(`${id}${value}`),
    }));
  });

  it('keep their elements, in the order of the items', () => {
    rows.render([{ id: 'a', value: 1 }, { id: 'b', value: 1 }, { id: 'c', value: 1 }]);
    const [first] = place.children;
    rows.render([{ id: 'c', value: 2 }, { id: 'd', value: 1 }, { id: 'a', value: 2 }]);
    expect(names()).toBe('cda');
    expect(place.children[2]).toBe(first);
    rows.render([]);
    expect(names()).toBe('');
  });

  it('are updated each time where nothing says what else they show', () => {
    const item = { id: 'a', value: 1 };
    rows.render([item]);
    rows.render([item]);
    expect(updates).toEqual(['a1', 'a1']);
  });

  it('are left alone as long as their item and all beside it are the same', () => {
    const [a, b] = [{ id: 'a', value: 1 }, { id: 'b', value: 1 }];
    rows.render([a, b], 'utc');
    rows.render([b, a], 'utc');
    expect([updates.join(' '), names()]).toEqual(['a1 b1', 'ba']);
    rows.render([{ id: 'a', value: 2 }, b], 'utc');
    expect(updates.at(-1)).toBe('a2');
    rows.render([a, b], 'local');
    expect(updates.slice(-2)).toEqual(['a1', 'b1']);
  });
});
