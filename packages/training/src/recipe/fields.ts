import { z } from 'zod';

/** A whole number from 1 on. */
export const count = z.int().min(1);

/** A number from 0 to 1. */
export const share = z.number().min(0).max(1);

/** A number above 0. */
export const positive = z.number().positive();

/** A number from 0 on. */
export const notNegative = z.number().min(0);
