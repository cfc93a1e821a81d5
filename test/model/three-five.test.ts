/** Every way that a change between three and five controllers can go, with its faults. */
import { exploring } from './exploring.js';

exploring('three-five');
