def due(bench): pass
