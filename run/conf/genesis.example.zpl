# genesis.example.zpl -- a network of three nodes and two ports.
#
# Copy it, put in your own keys (perch-wallet key show) and give every node and
# wallet the same bytes: their hash is the network id. See README.md.
perch
    name = example
    time = 2026-01-01T00:00:00Z
    observers = anyone
pow
    interval = 2s
    bits = 1e010000
    retarget = asert
    half-life = 10s
    depth = 6
authority
    city
        key = b8e2587e9e51f61b2f0b5f04bdcead799e0ad5d40a8d5bb1271f09f133f1bfd0
nodes
    the_blue_sky
        key = bdcb7459c2f778e23875cf65ba344cce4fe64a600cf94edb6313c6e2d0c65b5e
        request = "tcp://192.0.2.1:7001"
        publish = "tcp://192.0.2.1:7002"
        peer = "tcp://192.0.2.1:7003"
    white_noise
        key = a1c98939d69b1b74505fd7047b67f8bd6e6758a5398e39e013255197eb3f0f12
        request = "tcp://192.0.2.2:7001"
        publish = "tcp://192.0.2.2:7002"
        peer = "tcp://192.0.2.2:7003"
    yellow_submarine
        key = 94845387c1b05e7a562c2fb0511b98ba50573d6dfda7438c2eceb16a8f441d16
        role = standby
        request = "tcp://192.0.2.3:7001"
        publish = "tcp://192.0.2.3:7002"
        peer = "tcp://192.0.2.3:7003"
ports
    haneda
        controller = f523f4f868e57282685254e82dbc249f9154e2824efe44c1d68d0af1f13cb7a4
        lead = 1m
        before = 30s
        after = 30s
        duration = 5m
        pads
            A
                group = north
            B
                group = north
            C
    kansai
        controller = d10736abb9217b3d7ae86f600ba0679fece641ea29a0ffbf6396c8999b2a98cc
        pads
            A
operators
    alice
        key = 92918ed5f25238171c9bbb54dc1f76dc41ce3573751c19151e35a7c894368ad8
        quota = 100
    bob
        key = aa15dcc20cb33722f92403cc33273ba4b033b6e66260228fd1ae8564fcd8a814
observers
    archive
        key = a49d272b622823a0e603549abd3a58c84341411c088f864408adcefab4164a5e
