import type { Layout, Role } from './layout.js';

/** Role of every row, in sequence order, `[T]`. */
export function roles(layout: Layout): Role[] {
  return layout.spans.flatMap((span) => new Array<Role>(span.length).fill(span.role));
}
