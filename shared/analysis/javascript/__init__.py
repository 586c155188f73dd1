"""The analysis of JavaScript and TypeScript code."""
