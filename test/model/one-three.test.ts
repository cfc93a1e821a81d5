/** Every way that a change between one and three controllers can go, with its faults. */
import { exploring } from './exploring.js';

exploring('one-three');
