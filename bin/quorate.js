#!/usr/bin/env node
import '../dist/programs/quorate.js';
