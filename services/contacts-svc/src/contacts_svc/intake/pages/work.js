/* Finds a number so that SHA-256 of "challenge:number" begins with so many zero bits; a pause lets the page breathe. */
function kantisWork(challenge, bits, done) {
  "use strict";
  var K = [], primes = 0, candidate = 2;
  function fraction(x) { return ((x - Math.floor(x)) * 4294967296) | 0; }
  var start = [];
  while (primes < 64) {
    var isPrime = true;
    for (var f = 2; f * f <= candidate; f++) { if (candidate % f === 0) { isPrime = false; break; } }
    if (isPrime) {
      if (primes < 8) { start.push(fraction(Math.pow(candidate, 1 / 2))); }
      K.push(fraction(Math.pow(candidate, 1 / 3)));
      primes++;
    }
    candidate++;
  }
  function right(x, n) { return (x >>> n) | (x << (32 - n)); }
  function first(text) {
    var length = text.length, blocks = ((length + 8) >> 6) + 1, words = new Int32Array(blocks * 16), i, b;
    for (i = 0; i < length; i++) { words[i >> 2] |= text.charCodeAt(i) << (24 - (i % 4) * 8); }
    words[length >> 2] |= 128 << (24 - (length % 4) * 8);
    words[blocks * 16 - 1] = length * 8;
    var h = start.slice(), w = new Int32Array(64);
    for (b = 0; b < blocks; b++) {
      var s = h.slice();
      for (i = 0; i < 64; i++) {
        if (i < 16) { w[i] = words[b * 16 + i]; } else {
          var x = w[i - 15], y = w[i - 2];
          w[i] = (w[i - 16] + (right(x, 7) ^ right(x, 18) ^ (x >>> 3)) + w[i - 7] + (right(y, 17) ^ right(y, 19) ^ (y >>> 10))) | 0;
        }
        var e = s[4], a = s[0];
        var t1 = (s[7] + (right(e, 6) ^ right(e, 11) ^ right(e, 25)) + ((e & s[5]) ^ (~e & s[6])) + K[i] + w[i]) | 0;
        var t2 = ((right(a, 2) ^ right(a, 13) ^ right(a, 22)) + ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]))) | 0;
        s = [(t1 + t2) | 0, a, s[1], s[2], (s[3] + t1) | 0, e, s[5], s[6]];
      }
      for (i = 0; i < 8; i++) { h[i] = (h[i] + s[i]) | 0; }
    }
    return h[0];
  }
  var tried = 0;
  function some() {
    for (var n = 0; n < 2000; n++, tried++) {
      if (bits === 0 || first(challenge + ":" + tried) >>> (32 - bits) === 0) { done(String(tried)); return; }
    }
    setTimeout(some, 0);
  }
  some();
}
