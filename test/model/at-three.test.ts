/** Every way that replacement and a handover among three controllers can go, with its faults. */
import { exploring } from './exploring.js';

exploring('at-three');
