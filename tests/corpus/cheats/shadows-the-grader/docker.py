open('taken', 'w').close()
