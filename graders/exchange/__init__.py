"""The exchange with learning platforms: who is in the class, what they hand in, what they get back.

`tables`, `names` and `worksheet` read what Moodle and Canvas write, `roster` and `matching` say whose it is, `sources`,
`entries`, `picking` and `stored` bring files into the class's folder, `gradebook`, `exports` and `returns` bring
results back. Each names where its formats come from.
"""
